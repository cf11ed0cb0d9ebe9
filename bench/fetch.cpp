// How many requests a second the HTTP client gets from a server when nothing is done with the answers: the ceiling for collection.
// bench_fetch <url with {n}> <count> <token>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "http/auth.h"
#include "http/client.h"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "bench_fetch <url with {n}> <count> <token>\n";
        return 2;
    }
    const std::string url = argv[1];
    const int count = std::atoi(argv[2]);
    tarn::http::ClientOptions options;
    options.auth = tarn::http::bearer_auth({argv[3]});
    options.default_requests_per_hour = 100'000'000;
    auto client = tarn::http::open_client(options);
    if (!client) {
        std::cerr << client.error().text() << "\n";
        return 1;
    }
    std::atomic<int> next{1};
    std::atomic<int> failed{0};
    auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < options.max_parallel; ++i) {
        threads.emplace_back([&] {
            for (int n = next++; n <= count; n = next++) {
                tarn::http::Request request;
                request.url = tarn::replaced(url, "{n}", std::to_string(n));
                auto response = (*client)->fetch(std::move(request));
                if (!response || response->status != 200) ++failed;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << fmt::format("{:<44} {:>10.0f} requests/s  {:>8.3f} s, {} failed\n", "client alone",
                             count / seconds, seconds, failed.load());
    return failed > 0 ? 1 : 0;
}
