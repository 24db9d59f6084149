#include "tracking/search/language.h"

namespace rondo::tracking::search {

const db::search::Language& RunLanguage() {
  static const db::search::Language language = {
      .attributes = {{.name = "run_id", .meaning = "run_id", .list = true},
                     {.name = "run_name", .meaning = "run_name"},
                     {.name = "user_id", .meaning = "user_id"},
                     {.name = "status", .meaning = "status"},
                     {.name = "artifact_uri", .meaning = "artifact_uri"},
                     {.name = "start_time", .meaning = "start_time", .number = true},
                     {.name = "end_time", .meaning = "end_time", .number = true},
                     {.name = "created", .meaning = "start_time", .number = true},
                     {.name = "Created", .meaning = "start_time", .number = true},
                     {.name = "run name", .meaning = "run_name", .order = false},
                     {.name = "Run name", .meaning = "run_name", .order = false},
                     {.name = "Run Name", .meaning = "run_name", .order = false}},
      .attribute_names = {"attributes", "attr", "run"},
      .entities = {{.name = "metric", .names = {"metric", "metrics"}, .number = true},
                   {.name = "parameter", .names = {"parameter", "parameters", "param", "params"}, .null_tests = true},
                   {.name = "tag", .names = {"tag", "tags"}, .null_tests = true},
                   {.name = "dataset", .names = {"dataset", "datasets"}, .list = true, .order = false, .keys = {"name", "digest", "context"}}}};
  return language;
}

const db::search::Language& ExperimentLanguage() {
  static const db::search::Language language = {.attributes = {{.name = "name", .meaning = "name"},
                                                               {.name = "experiment_id", .meaning = "experiment_id", .list = true},
                                                               {.name = "creation_time", .meaning = "creation_time", .number = true},
                                                               {.name = "last_update_time", .meaning = "last_update_time", .number = true}},
                                                .attribute_names = {"attributes"},
                                                .entities = {{.name = "tag", .names = {"tag", "tags"}, .null_tests = true, .order = false}}};
  return language;
}

const db::search::Language& LoggedModelLanguage() {
  static const db::search::Language language = {.attributes = {{.name = "name", .meaning = "name", .list = true},
                                                               {.name = "model_id", .meaning = "model_id", .list = true},
                                                               {.name = "model_type", .meaning = "model_type", .list = true},
                                                               {.name = "status", .meaning = "status", .list = true},
                                                               {.name = "source_run_id", .meaning = "source_run_id", .list = true},
                                                               {.name = "creation_timestamp", .meaning = "creation_time", .number = true},
                                                               {.name = "creation_time", .meaning = "creation_time", .number = true},
                                                               {.name = "last_updated_timestamp", .meaning = "last_update_time", .number = true},
                                                               {.name = "last_updated_time", .meaning = "last_update_time", .number = true}},
                                                .attribute_names = {"attributes"},
                                                .entities = {{.name = "metric", .names = {"metric", "metrics"}, .number = true},
                                                             {.name = "parameter", .names = {"param", "params", "parameter", "parameters"}, .list = true},
                                                             {.name = "tag", .names = {"tag", "tags"}, .list = true}}};
  return language;
}

}  // namespace rondo::tracking::search
