#include "api/server.h"

#include <sys/socket.h>

#include <httplib.h>

#include "api/target.h"
#include "base/text.h"

namespace tarn::api {
namespace {

constexpr std::size_t threads = 16;

Call call_of(const httplib::Request& request) {
    Call call;
    call.query = query_of(request.target);
    if (auto mark = request.target.find('?'); mark != std::string::npos)
        call.raw_query = request.target.substr(mark + 1);
    for (const auto& [name, value] : request.headers) call.headers[lower(name)] = value;
    call.peer = request.remote_addr;
    call.host = request.get_header_value("Host");
    return call;
}

void put(const Answer& answer, httplib::Response& response) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    if (answer.empty) return;
    if (!answer.content_type.empty()) {
        response.set_content(answer.content, answer.content_type);
        return;
    }
    response.set_content(answer.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                         "application/json; charset=utf-8");
}

// What the library itself refuses (too long, not HTTP) gets the same envelope.
void put_missing_body(const httplib::Request&, httplib::Response& response) {
    if (response.body.empty()) put(envelope(response.status, "the request was refused"), response);
}

void read_form(const httplib::ContentReader& reader, std::size_t most, std::vector<FormPart>& form,
               std::size_t& size) {
    reader(
        [&](const httplib::MultipartFormData& part) {
            form.push_back({part.name, part.filename, {}});
            return true;
        },
        [&](const char* data, std::size_t length) {
            size += length;
            if (size <= most) form.back().content.append(data, length);
            return true;
        });
}

// A body that is too long is read to its end all the same: what stood in the way would be taken for the next request.
Answer with_body(const Dispatch& dispatch, const httplib::Request& request,
                 const httplib::ContentReader& reader) {
    Call call = call_of(request);
    bool has_body =
        request.has_header("Transfer-Encoding") || request.get_header_value("Content-Length") > "0";
    std::size_t most = most_bytes(request.method, request.target), size = 0;
    if (request.is_multipart_form_data()) {
        read_form(reader, most, call.form, size);
    } else if (has_body) {
        reader([&](const char* data, std::size_t length) {
            size += length;
            if (size <= most) call.body.append(data, length);
            return true;
        });
    }
    if (most > 0 && size > most)
        return envelope(413, "the body has more than " + std::to_string(most) + " bytes");
    return dispatch(request.method, request.target, std::move(call));
}

}  // namespace

Dispatch dispatch_to(const Services& services) {
    return [services](const std::string& method, const std::string& target, Call call) {
        return dispatch(services, method, target, std::move(call));
    };
}

Server::Server(Dispatch dispatch)
    : dispatch_(std::make_shared<const Dispatch>(std::move(dispatch))),
      server_(std::make_unique<httplib::Server>()) {}

void Server::use(Dispatch dispatch) {
    std::lock_guard lock(mutex_);
    dispatch_ = std::make_shared<const Dispatch>(std::move(dispatch));
}

Answer Server::answer(const std::string& method, const std::string& target, Call call) {
    std::shared_ptr<const Dispatch> dispatch;
    {
        std::lock_guard lock(mutex_);
        dispatch = dispatch_;
    }
    return (*dispatch)(method, target, std::move(call));
}

void Server::configure() {
    server_->new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server_->set_payload_max_length(longest_body);
    server_->set_keep_alive_max_count(1000);
    server_->set_tcp_nodelay(true);
    // The library's default lets two servers share a port without a word.
    server_->set_socket_options([](socket_t socket) {
        int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    auto serve = [this](const httplib::Request& request, httplib::Response& response) {
        put(answer(request.method, request.target, call_of(request)), response);
    };
    auto serve_body = [this](const httplib::Request& request, httplib::Response& response,
                             const httplib::ContentReader& reader) {
        auto dispatch = [this](const std::string& method, const std::string& target, Call call) {
            return answer(method, target, std::move(call));
        };
        put(with_body(dispatch, request, reader), response);
    };
    // Not `.*`: a decoded path may hold line breaks.
    const std::string any = R"([\s\S]*)";
    server_->Get(any, serve);
    // Read here, since the library takes the body of a client that names no content type (curl) for a form and cuts it.
    server_->Post(any, serve_body);
    server_->Put(any, serve_body);
    server_->Patch(any, serve_body);
    server_->Delete(any, serve_body);
    server_->set_error_handler(httplib::Server::Handler(put_missing_body));
}

Result<std::unique_ptr<Server>> Server::start(Dispatch dispatch, const std::string& host, int port) {
    std::unique_ptr<Server> made(new Server(std::move(dispatch)));
    made->configure();
    bool bound = port == 0 ? (made->port_ = made->server_->bind_to_any_port(host)) > 0
                           : made->server_->bind_to_port(host, port);
    if (!bound) {
        return fail(ErrorKind::terminal, "the address cannot be used", host + ":" + std::to_string(port),
                    "Stop the program that listens there or choose another --port.");
    }
    if (port != 0) made->port_ = port;
    made->thread_ = std::thread([raw = made.get()] { raw->server_->listen_after_bind(); });
    while (!made->server_->is_running()) std::this_thread::yield();
    return made;
}

Server::~Server() {
    server_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace tarn::api
