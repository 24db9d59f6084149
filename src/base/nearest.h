/// The name somebody probably meant: for "did you mean" in errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rondo {

/// Number of single-character edits (insert, delete, replace, swap of neighbours) from a to b.
size_t EditDistance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, or "" when none is near enough to be meant (more than a third of the letters differ).
std::string Nearest(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace rondo
