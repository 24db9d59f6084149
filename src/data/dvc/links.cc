#include "data/dvc/links.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/id.h"
#include "data/dvc/fd.h"

namespace rondo::data::dvc {

Result<std::vector<LinkKind>> ParseLinkKinds(std::string_view text) {
  std::vector<LinkKind> kinds;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = end + 1;
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word == "reflink") kinds.push_back(LinkKind::kReflink);
    else if (word == "hardlink") kinds.push_back(LinkKind::kHardlink);
    else if (word == "symlink") kinds.push_back(LinkKind::kSymlink);
    else if (word == "copy") kinds.push_back(LinkKind::kCopy);
    else return Fail(Code::kInvalid, "unsupported cache type: \"" + std::string(word) + "\"", "cache.type is a list of reflink, hardlink, symlink, copy");
  }
  return kinds;
}

Result<LinkKind> ProbeLinkKind(const std::vector<LinkKind>& kinds, const fs::path& cache, const fs::path& workspace) {
  const std::string name = "." + RandomHex(11) + ".tmp";
  const fs::path from = cache / name, to = workspace / name;
  for (const LinkKind kind : kinds) {
    if (kind == LinkKind::kCopy || kind == LinkKind::kSymlink) return kind;
    const Fd source(::open(from.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!source.valid()) return std::unexpected(SystemError("create", from, errno));
    bool works = ::write(source.get(), "x", 1) == 1;
    if (kind == LinkKind::kHardlink) {
      works = works && ::link(from.c_str(), to.c_str()) == 0;
    } else {
      const Fd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      works = works && target.valid() && ::ioctl(target.get(), FICLONE, source.get()) == 0;
    }
    ::unlink(to.c_str());
    ::unlink(from.c_str());
    if (works) return kind;
  }
  return Fail(Code::kEnvironment, "no possible cache link types supported between " + cache.string() + " and " + workspace.string(),
              "add copy to cache.type, or put the cache on the same file system");
}

}  // namespace rondo::data::dvc
