// Plain text of a rich document in JSON: a tree of nodes {type, text, attrs, content}, as Atlassian's document format.
//
// Paragraphs and headings end with a line break, list items start with a bullet, cells of a table row are parted by " | ", code stands between ```,
// mentions and cards give the text of their attributes. Of node types not known here the content is taken. JSON that is no such tree is given back as it
// is. Deeply nested documents are cut at 500 levels.
// Thread rule: pure function.
#pragma once

#include <string>
#include <string_view>

namespace tarn::model {

std::string document_text(std::string_view json);

}  // namespace tarn::model
