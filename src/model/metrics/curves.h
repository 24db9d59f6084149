/// Pictures behind the numbers: calibration, confusion, ROC, precision-recall and threshold curves, as JSON for metrics.json and the report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/evaluate.h"

namespace rondo::model {

/// Classification: ten bins of P(positive) (multiclass: of the top class' confidence) with rows, mean score, share of positives (right ones) and its
/// 95 % Wilson interval. Regression: ten bins of equal counts by prediction with mean prediction and mean label. Bins without rows are left out.
Json CalibrationCurve(const Scored& scored);
/// {"labels": […], "matrix": [[rows with label i decided j]]}; rows, not weights.
Json ConfusionMatrix(const Scored& scored, const std::vector<std::string>& classes);
/// [[false positive rate, true positive rate], …], at most 200 points, both ends kept. Binary; empty when undefined.
Json RocCurve(const Scored& scored);
/// [[recall, precision], …], at most 200 points. Binary.
Json PrCurve(const Scored& scored);
/// [{"threshold", "precision", "recall", "f1", "selected", "cost"?}], at most 101 points, by quantiles of the scores; cost per 1,000 rows. Binary.
Json ThresholdCurve(const Scored& scored, const std::optional<project::Cost>& cost);
/// Cost of the decisions in the part, of deciding nobody and everybody positive, and per 1,000 rows. Binary.
Json CostSummary(const Scored& scored, const project::Cost& cost);

/// null instead of NaN, which JSON lacks.
Json Number(double value);

}  // namespace rondo::model
