#include "model/learners/boosting.h"

#include <cstdlib>

namespace rondo::model {

Result<Engine*> LoadTrainingEngine(const char* name) {
  // Read by the OpenMP runtime when it is loaded; an explicit setting of the user's wins.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  return Engine::Load(name);
}

}  // namespace rondo::model
