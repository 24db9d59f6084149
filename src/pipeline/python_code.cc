#include "pipeline/python_code.h"

#include <set>

#include "base/file.h"

namespace rondo::pipeline {
namespace {

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return out;
}

bool IsPython(std::string_view word) {
  const size_t slash = word.rfind('/');
  if (slash != std::string_view::npos) word.remove_prefix(slash + 1);
  if (!word.starts_with("python")) return false;
  return word.find_first_not_of("0123456789.", 6) == std::string_view::npos;
}

/// The source without strings and comments, logical lines joined: what is left of a docstring must not look like an import.
std::string Code(std::string_view s) {
  std::string out;
  int depth = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '#') {
      i = std::min(s.find('\n', i), s.size()) - 1;
    } else if (c == '"' || c == '\'') {
      const std::string_view triple = c == '"' ? "\"\"\"" : "'''";
      if (s.substr(i).starts_with(triple)) {
        const size_t end = s.find(triple, i + 3);
        i = end == std::string_view::npos ? s.size() : end + 2;
      } else {
        for (++i; i < s.size() && s[i] != c && s[i] != '\n'; ++i)
          if (s[i] == '\\') ++i;
      }
      out += "''";
    } else if (c == '\\' && i + 1 < s.size() && s[i + 1] == '\n') {
      ++i;
      out += ' ';
    } else {
      if (c == '(' || c == '[' || c == '{') ++depth;
      if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
      out += (c == '\n' && depth > 0) || c == '(' || c == ')' ? ' ' : c == ';' ? '\n' : c == '\r' ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

std::string PythonFile(const std::string& cmd) {
  const auto words = Words(std::string_view(cmd).substr(0, cmd.find('\n')));
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (!IsPython(words[i])) continue;
    for (size_t k = i + 1; k < words.size(); ++k) {
      if (words[k] == "-m" && k + 1 < words.size()) return "-m " + std::string(words[k + 1]);
      if (words[k] == "-c") return {};
      if (words[k].starts_with('-')) continue;
      return words[k].ends_with(".py") ? std::string(words[k]) : std::string();
    }
  }
  return {};
}

std::vector<std::string> Imports(std::string_view source) {
  std::vector<std::string> out;
  const std::string code = Code(source);
  for (size_t at = 0; at < code.size();) {
    const size_t end = std::min(code.find('\n', at), code.size());
    std::string line = code.substr(at, end - at);
    at = end + 1;
    for (char& c : line)
      if (c == ',') c = ' ';
    auto words = Words(line);
    // `try: import x`, `if y: import z` on one line.
    while (words.size() > 1 && words[0] != "import" && words[0] != "from") words.erase(words.begin());
    if (words.size() < 2) continue;
    if (words[0] == "import") {
      for (size_t i = 1; i < words.size(); ++i) {
        if (words[i] == "as") ++i;
        else out.emplace_back(words[i]);
      }
    } else if (words.size() >= 4 && words[2] == "import") {
      const std::string base(words[1]);
      out.push_back(base);
      for (size_t i = 3; i < words.size(); ++i) {
        if (words[i] == "as") ++i;
        else if (words[i] != "*") out.push_back(base + (base.ends_with('.') ? "" : ".") + std::string(words[i]));
      }
    }
  }
  return out;
}

const std::vector<std::string>& PythonCode::ImportsOf(const std::string& file) {
  const auto it = imports_.find(file);
  if (it != imports_.end()) return it->second;
  const auto text = ReadFile(root_ / file, 16u << 20);
  return imports_[file] = text ? Imports(*text) : std::vector<std::string>();
}

std::vector<std::string> PythonCode::Closure(const std::string& script, const std::string& wdir) {
  std::lock_guard lock(mutex_);
  imports_.clear();  // files change between stages of one run
  std::error_code ec;
  const fs::path here = wdir.empty() ? fs::path(".") : fs::path(wdir);
  const auto is_file = [&](const fs::path& p) { return fs::is_regular_file(root_ / p, ec); };
  // A module's file below a folder, with the packages on the way: running any of them is part of the import.
  const auto find = [&](const fs::path& folder, const std::string& module, std::set<std::string>& found) {
    fs::path at = folder;
    for (size_t begin = 0; begin < module.size();) {
      const size_t dot = std::min(module.find('.', begin), module.size());
      at /= module.substr(begin, dot - begin);
      fs::path file = at;
      file += ".py";
      if (is_file(at / "__init__.py")) found.insert((at / "__init__.py").lexically_normal().string());
      if (is_file(file)) {
        found.insert(file.lexically_normal().string());
        break;
      }
      if (!fs::is_directory(root_ / at, ec)) break;
      begin = dot + 1;
    }
  };
  std::set<std::string> done;
  std::vector<std::string> open;
  fs::path home;  // sys.path[0]
  std::string first;
  if (script.starts_with("-m ")) {
    home = here;
    std::set<std::string> found;
    find(here, script.substr(3), found);
    find(here, script.substr(3) + ".__main__", found);
    for (const std::string& f : found) open.push_back(f);
  } else {
    first = (here / script).lexically_normal().string();
    home = fs::path(first).parent_path();
    open.push_back(first);
  }
  for (const std::string& f : open) done.insert(f);
  while (!open.empty()) {
    const std::string file = open.back();
    open.pop_back();
    for (const std::string& module : ImportsOf(file)) {
      std::set<std::string> found;
      if (module.starts_with('.')) {
        fs::path folder = fs::path(file).parent_path();
        size_t dots = 1;
        for (; dots < module.size() && module[dots] == '.'; ++dots) folder = folder.parent_path();
        find(folder, module.substr(dots), found);
      } else {
        find(home, module, found);
        if (home != here) find(here, module, found);
        if (here != ".") find(".", module, found);
      }
      for (const std::string& f : found)
        if (!f.starts_with("..") && done.insert(f).second) open.push_back(f);
    }
  }
  done.erase(first);
  return {done.begin(), done.end()};
}

}  // namespace rondo::pipeline
