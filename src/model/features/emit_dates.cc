#include <limits>
#include <optional>

#include "model/features/dates.h"
#include "model/features/emit.h"

namespace rondo::model {
namespace {

using Name = OnnxBuilder::Name;

// ONNX has no date parser, so a text that fits the grammar is split at its separators, always with one more separator appended, which makes
// the part exist. Everything after that is integer arithmetic, shifted by whole 400-year eras so that truncating division is floor division.
class DateGraph {
 public:
  explicit DateGraph(OnnxBuilder& graph) : graph_(graph) { graph_.NeedOpset(20); }

  Name Text(const char* text) {
    const std::string value = text;
    return graph_.Strings({&value, 1}, {1, 1});
  }
  Name Number(int64_t n) { return graph_.Scalar(n); }
  Name Join(const Name& a, const Name& b) { return graph_.Node("StringConcat", {a, b}); }
  Name Split(const Name& text, const char* separator) { return graph_.Node("StringSplit", {Join(text, Text(separator))}, OnnxAttributes().String("delimiter", separator), {}, {}, 2); }
  Name Part(const Name& parts, int64_t i) { return graph_.Node("Gather", {parts, Number(i)}, OnnxAttributes().Int("axis", 2)); }
  Name Integer(const Name& text) { return graph_.Cast(text, OnnxType::kInt64); }
  Name Add(const Name& a, const Name& b) { return graph_.Node("Add", {a, b}); }
  Name Sub(const Name& a, const Name& b) { return graph_.Node("Sub", {a, b}); }
  Name Mul(const Name& a, int64_t n) { return graph_.Node("Mul", {a, Number(n)}); }
  Name Div(const Name& a, int64_t n) { return graph_.Node("Div", {a, Number(n)}); }
  Name AtMost(const Name& a, int64_t n) { return graph_.Cast(graph_.Node("LessOrEqual", {a, Number(n)}), OnnxType::kInt64); }
  // Minutes of "", "HH:MM" or "HH:MM:SS": a leading 0 and a trailing part make "" read as 0:0.
  Name Clock(const Name& text) {
    const Name parts = graph_.Node("StringSplit", {Join(Join(Text("0"), text), Text(":0"))}, OnnxAttributes().String("delimiter", ":"), {}, {}, 2);
    return Add(Mul(Integer(Part(parts, 0)), 60), Integer(Part(parts, 1)));
  }

  // Minutes since 1970 of a text that fits the grammar.
  Name Minutes(const Name& text) {
    const Name dashes = Split(text, "-");  // year, month, rest, and the offset when it is negative
    const Name plus = Split(Part(dashes, 2), "+");
    const Name utc = Part(Split(Part(plus, 0), "Z"), 0);
    const Name at_t = Split(utc, "T");
    const Name at_space = Split(Part(at_t, 0), " ");
    const Name month = Integer(Part(dashes, 1)), early = AtMost(month, 2);
    // Days of the civil date, see dates.cc; one era more keeps year 0 positive.
    const Name year = Add(Sub(Integer(Part(dashes, 0)), early), Number(400));
    const Name era = Div(year, 400), yoe = Sub(year, Mul(era, 400));
    const Name mp = Add(month, Sub(Mul(early, 12), Number(3)));
    const Name doy = Add(Div(Add(Mul(mp, 153), Number(2)), 5), Sub(Integer(Part(at_space, 0)), Number(1)));
    const Name doe = Add(Sub(Add(Mul(yoe, 365), Div(yoe, 4)), Div(yoe, 100)), doy);
    const Name days = Sub(Add(Mul(era, 146097), doe), Number(719468 + 146097));
    const Name clock = Clock(Join(Part(at_t, 1), Part(at_space, 1)));
    const Name offset = Sub(Clock(Part(dashes, 3)), Clock(Part(plus, 1)));
    return Add(Mul(days, 1440), Add(clock, offset));
  }

 private:
  OnnxBuilder& graph_;
};

}  // namespace

std::vector<Name> EmitDateParts(const Name& text, const std::vector<DatePart>& parts, int64_t reference_days, OnnxBuilder& graph) {
  constexpr int64_t kEras = 6;  // 2,400 years: days become positive; a multiple of 7
  constexpr int64_t kShift = kEras * 146097;
  DateGraph g(graph);
  const Name fits = graph.Node("RegexFullMatch", {text}, OnnxAttributes().String("pattern", kDatePattern));
  const Name minutes = g.Minutes(graph.Node("Where", {fits, text, g.Text("1970-01-01")}));
  const Name shifted = g.Add(minutes, g.Number(kShift * 1440));
  const Name days = g.Div(shifted, 1440);
  // The civil date of a day, only when a part needs it.
  struct Civil {
    Name year, month, day;
  };
  std::optional<Civil> civil;
  auto need = [&]() -> const Civil& {
    if (civil) return *civil;
    const Name z = g.Add(days, g.Number(719468)), era = g.Div(z, 146097), doe = g.Sub(z, g.Mul(era, 146097));
    const Name yoe = g.Div(g.Sub(g.Add(g.Sub(doe, g.Div(doe, 1460)), g.Div(doe, 36524)), g.Div(doe, 146096)), 365);
    const Name doy = g.Sub(doe, g.Sub(g.Add(g.Mul(yoe, 365), g.Div(yoe, 4)), g.Div(yoe, 100)));
    const Name mp = g.Div(g.Add(g.Mul(doy, 5), g.Number(2)), 153);
    Civil c;
    c.day = g.Add(g.Sub(doy, g.Div(g.Add(g.Mul(mp, 153), g.Number(2)), 5)), g.Number(1));
    c.month = g.Sub(g.Add(mp, g.Mul(g.AtMost(mp, 9), 12)), g.Number(9));
    c.year = g.Add(g.Add(yoe, g.Mul(era, 400)), g.Sub(g.AtMost(c.month, 2), g.Number(kEras * 400)));
    civil = c;
    return *civil;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Name missing = graph.Scalar(nan);
  std::vector<Name> out;
  for (const DatePart part : parts) {
    Name value;
    switch (part) {
      case DatePart::year: value = need().year; break;
      case DatePart::month: value = need().month; break;
      case DatePart::day: value = need().day; break;
      case DatePart::weekday: {
        const Name from_monday = g.Add(days, g.Number(3));
        value = g.Sub(from_monday, g.Mul(g.Div(from_monday, 7), 7));
        break;
      }
      case DatePart::hour: value = g.Div(g.Sub(shifted, g.Mul(days, 1440)), 60); break;
      case DatePart::days_since: value = g.Sub(g.Number(reference_days + kShift), days); break;
    }
    out.push_back(graph.Node("Where", {fits, graph.Cast(value, OnnxType::kFloat), missing}));
  }
  return out;
}

}  // namespace rondo::model
