/// The rows of Algorithms(), one from each file of this folder.
#pragma once

#include "model/train.h"

namespace rondo::model {

AlgorithmInfo XgboostInfo();
AlgorithmInfo LightgbmInfo();
AlgorithmInfo LogisticInfo();
AlgorithmInfo LinearInfo();
AlgorithmInfo DummyInfo();

}  // namespace rondo::model
