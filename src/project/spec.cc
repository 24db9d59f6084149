#include "project/spec.h"

#include "base/random.h"

namespace rondo::project {

uint64_t Project::SplitSeed() const { return split.seed ? *split.seed : DeriveSeed(seed, "split"); }
uint64_t Project::TrainSeed() const { return train.seed ? *train.seed : DeriveSeed(seed, "train"); }

}  // namespace rondo::project
