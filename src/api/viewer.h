// A page that shows the API's description and tries its routes, in one file without remote parts.
#pragma once

namespace tarn::api {

extern const char* const viewer_page;

}  // namespace tarn::api
