#include "api/viewer.h"

namespace tarn::api {

const char* const viewer_page = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tarn API</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b7285; }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
  code, pre, textarea, input { font: 13px/1.4 ui-monospace, monospace; }
  input, textarea { width: 100%; box-sizing: border-box; padding: .3rem; }
  details { border: 1px solid var(--line); border-radius: 6px; margin: .3rem 0; }
  details > div { padding: .2rem 1rem 1rem; }
  summary { cursor: pointer; padding: .35rem .6rem; background: var(--soft); }
  summary b { display: inline-block; min-width: 4.2rem; color: var(--accent); }
  summary span { float: right; opacity: .75; }
  h2 { margin: 1.5rem 0 .3rem; font-size: 1.1rem; }
  table { border-collapse: collapse; width: 100%; }
  td, th { text-align: left; vertical-align: top; border-top: 1px solid var(--line); padding: .25rem .5rem; }
  pre { background: var(--soft); padding: .6rem; overflow: auto; max-height: 24rem; }
  button { padding: .3rem 1rem; }
</style>
</head>
<body>
<h1>Tarn API</h1>
<p id="about">Reading the description…</p>
<label for="filter">Filter</label>
<input id="filter" placeholder="a part of a path or a summary" autocomplete="off">
<div id="list"></div>
<script>
'use strict';
const base = location.pathname.replace(/\/swagger.*$/, '');
const element = (name, text, parent) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
};
let api;

// A schema written out, references followed a few levels deep.
function outline(schema, depth = 0) {
  if (!schema || depth > 6) return '…';
  if (schema.$ref) return outline(api.components.schemas[schema.$ref.split('/').pop()], depth);
  if (schema.allOf) return outline(schema.allOf[0], depth);
  if (schema.type === 'array') return [outline(schema.items, depth + 1)];
  if (schema.type === 'object' && schema.properties) {
    const required = new Set(schema.required || []);
    return Object.fromEntries(Object.entries(schema.properties).map(
      ([name, of]) => [name + (required.has(name) ? '' : '?'), outline(of, depth + 1)]));
  }
  const kind = schema.enum ? schema.enum.join(' | ') : schema.format || schema.type || 'any';
  return kind + (schema.nullable ? ' | null' : '');
}
const shown = value => typeof value === 'string' ? value : JSON.stringify(value, null, 2);

function parameterTable(operation, parent) {
  const inputs = [];
  if (!operation.parameters) return inputs;
  const table = element('table', undefined, parent);
  for (const parameter of operation.parameters) {
    const row = element('tr', undefined, table);
    element('td', parameter.name + (parameter.required ? ' *' : ''), row);
    element('td', parameter.description || 'in the ' + parameter.in, row);
    const input = element('input', undefined, element('td', undefined, row));
    input.setAttribute('aria-label', parameter.name);
    inputs.push([parameter, input]);
  }
  return inputs;
}

function target(path, inputs) {
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value) query.set(parameter.name, input.value);
  }
  return base + path + (query.size ? '?' + query : '');
}

async function send(method, path, inputs, body, out) {
  out.textContent = 'Waiting…';
  try {
    const options = {method: method.toUpperCase(), headers: body ? {'Content-Type': 'application/json'} : {}};
    if (body) options.body = body.value;
    const answer = await fetch(target(path, inputs), options);
    const text = await answer.text();
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    out.textContent = answer.status + '\n' + pretty;
  } catch (error) {
    out.textContent = String(error);
  }
}

function fill(box, method, path, operation) {
  const inputs = parameterTable(operation, box);
  let body = null;
  const sent = operation.requestBody && Object.values(operation.requestBody.content)[0].schema;
  if (sent) {
    element('p', 'Body', box);
    element('pre', shown(outline(sent)), box);
    body = element('textarea', undefined, box);
    body.rows = 6;
    body.value = '{}';
    body.setAttribute('aria-label', 'body');
  }
  const button = element('button', 'Send', element('p', undefined, box));
  const out = element('pre', '', box);
  button.onclick = () => send(method, path, inputs, body, out);
  for (const [status, answer] of Object.entries(operation.responses)) {
    const content = answer.content && Object.values(answer.content)[0];
    element('p', status + ' ' + answer.description, box);
    if (content && Number(status) < 400) element('pre', shown(outline(content.schema)), box);
  }
}

function operations() {
  const all = [];
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods)) all.push({path, method, operation});
  return all;
}

function draw() {
  const wanted = document.getElementById('filter').value.toLowerCase();
  const list = document.getElementById('list');
  list.replaceChildren();
  const groups = new Map();
  for (const {path, method, operation} of operations()) {
    if (!(path + ' ' + operation.summary).toLowerCase().includes(wanted)) continue;
    const tag = operation.tags[0];
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push({path, method, operation});
  }
  for (const [tag, group] of groups) {
    element('h2', tag, list);
    for (const {path, method, operation} of group) {
      const details = element('details', undefined, list);
      const summary = element('summary', undefined, details);
      element('b', method.toUpperCase(), summary);
      element('code', path, summary);
      element('span', operation.summary, summary);
      details.ontoggle = () => {
        if (details.open && details.children.length === 1)
          fill(element('div', undefined, details), method, path, operation);
      };
    }
  }
}

fetch(base + '/swagger/doc.json').then(answer => answer.json()).then(document_ => {
  api = document_;
  document.getElementById('about').textContent = api.info.description + ' Version ' + api.info.version + '.';
  document.getElementById('filter').oninput = draw;
  draw();
}).catch(error => { document.getElementById('about').textContent = 'The description cannot be read: ' + error; });
</script>
</body>
</html>
)html";

}  // namespace tarn::api
