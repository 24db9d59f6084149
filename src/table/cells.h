/// What a text cell can be: the rules of type inference and of forced types, once as C++ (for samples and error messages) and once as SQL (for the data;
/// that one decides). Internal to this module.
///
/// Inferred: int is canonical (`-?[1-9][0-9]*` or 0) and within ±2^53; a column with whole numbers beyond 2^53, or of whole numbers with leading zeros,
/// identifies things, so it is a string; float is a finite decimal number; bool is true or false in any case; date is YYYY-MM-DD; datetime is ISO 8601. Yes/No, 0/1, NA and NaN are not guessed at.
/// Forced types are more lenient: "5.0" is the int 5, "yes" and "1" are bools.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "table/table.h"

namespace rondo::table {

bool CellIsNumber(std::string_view text);

/// Watches the cells of one column and says its type.
class TypeGuess {
 public:
  explicit TypeGuess(char decimal) : decimal_(decimal) {}
  void Add(std::string_view cell);
  bool seen() const { return seen_; }
  Type type() const;

 private:
  char decimal_;
  bool seen_ = false, leading_zero_ = false, beyond_ = false, fraction_ = false;
  bool int_ = true, float_ = true, bool_ = true, date_ = true, datetime_ = true;
};

/// Does the cell fit the type (by the rules for `forced`)?
bool CellFits(std::string_view cell, Type type, bool forced, char decimal);
/// "is not an int (a whole number within ±2^53)".
std::string TypeComplaint(Type type, bool forced);

/// SQL of the text expression `x` as its type, NULL where DuckDB can't read it; says nothing about the rules.
std::string ValueSql(const std::string& x, Type type, bool forced, char decimal);
/// SQL condition: does the non-null text `x`, whose ValueSql is `v`, fit? (`v` is passed so that it can be computed once, in a subquery.)
std::string FitsSql(const std::string& x, const std::string& v, Type type, bool forced, char decimal);
/// SQL of the typed value; where `x` doesn't fit, the query fails with CastMarker(column) + value.
std::string CastSql(const std::string& x, const std::string& v, Type type, bool forced, char decimal, size_t column);
/// SQL conditions: digits with leading zeros; whole numbers beyond 2^53; numbers with a fraction or an exponent.
std::string LeadingZeroSql(const std::string& x);
std::string BeyondExactSql(const std::string& x);
std::string FractionSql(const std::string& x, char decimal);
std::string CastMarker(size_t column);
/// Reads the marker out of an error message: column index and value.
bool ParseCastMarker(std::string_view message, size_t& column, std::string& value);

}  // namespace rondo::table
