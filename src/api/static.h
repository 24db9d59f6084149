/// The web pages: embedded in the program (cmake/ui.cmake makes rondo_ui), or read from a folder while working on them (`--ui-dir`).
#pragma once

#include <span>
#include <string_view>

#include "api/router.h"

namespace rondo::api {

struct StaticFile {
  std::string_view path;          ///< "/assets/index-Ab12.js"
  std::string_view content_type;
  std::string_view raw, gzip;     ///< gzip is empty when it would not be smaller
  std::string_view etag;          ///< from the content, without quotes
  bool immutable = false;         ///< its name holds its hash: cached for ever
};

/// The pages of this build. Defined in rondo_ui only: a program without pages passes an empty table to AddPages.
std::span<const StaticFile> EmbeddedPages();

/// Answers what no route matches: `/`, files, and index.html for the addresses of pages (they are drawn in the browser).
/// gzip only when the client takes it; ETag and 304; a Content-Security-Policy that allows the server's own files only.
/// With Context::ui_dir set, files come from that folder instead, unpacked and never cached.
void AddPages(Router& router, std::span<const StaticFile> files);

}  // namespace rondo::api
