#include "api/infer.h"

#include <algorithm>

#include "base/version.h"
#include "serving/answer.h"
#include "serving/server.h"

namespace rondo::api {
namespace {

/// A body over this size is scored off the event loop: about half a millisecond of decoding.
constexpr size_t kInlineBytes = 64u << 10;

net::Response Error(const rondo::Error& error, serving::Protocol protocol) {
  // MLflow's scoring server says BAD_REQUEST; the inference protocol wants {"error"}.
  return ErrorResponse(error, protocol == serving::Protocol::kOip ? ErrorStyle::kInference : ErrorStyle::kMlflow);
}

net::Response Score(serving::Endpoint& endpoint, const net::Request& request, const std::string& version, serving::Protocol protocol) {
  serving::InferRequest infer;
  infer.protocol = protocol;
  infer.body = request.body;
  infer.key = request.Header("x-rondo-key");
  infer.version = version;
  auto answer = endpoint.Infer(infer);
  if (!answer) return Error(answer.error(), protocol);
  net::Response response;
  response.body = std::move(answer->body);
  response.headers.reserve(3);  // a list in braces would copy its strings
  response.headers.emplace_back("x-rondo-variant", std::move(answer->variant));
  response.headers.emplace_back("x-rondo-version", std::move(answer->version));
  response.headers.emplace_back("x-rondo-prediction-id", std::move(answer->prediction_id));
  return response;
}

std::shared_ptr<serving::Endpoint> FindEndpoint(Call& call, std::string_view name) { return call.context().serving ? call.context().serving->Find(name) : nullptr; }

rondo::Error NoEndpoint(std::string_view name) {
  return {Code::kNotFound, "no endpoint is called \"" + std::string(name.substr(0, 100)) + "\"", {}};
}

void Infer(Call& call, net::Reply reply, serving::Protocol protocol) {
  const std::string name = call.Path("model").empty() ? call.Path("endpoint") : call.Path("model");
  auto endpoint = FindEndpoint(call, name);
  if (!endpoint) return reply.Send(Error(NoEndpoint(name), protocol));
  if (!call.request().Header("Inference-Header-Content-Length").empty())
    return reply.Send(Error({Code::kInvalid, "binary tensors are not supported: send JSON (tritonclient: set_data_from_numpy(values, binary_data=False) and InferRequestedOutput(name, binary_data=False))", {}}, protocol));
  const std::string& version = call.Path("version");
  if (call.request().body.size() <= kInlineBytes) return reply.Send(Score(*endpoint, call.request(), version, protocol));
  auto request = std::make_shared<net::Request>(call.request());
  const bool taken = call.context().serving->Submit([endpoint, request, version, protocol, reply] { reply.Send(Score(*endpoint, *request, version, protocol)); });
  if (!taken) reply.Send(Error({Code::kUnavailable, "too many large requests wait", {}}, protocol));
}

serving::Protocol InvocationsProtocol(const net::Request& request, Status& status) {
  std::string type(request.Header("Content-Type"));
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (type == "text/csv") return serving::Protocol::kInvocationsCsv;
  if (!type.empty() && type != "application/json") status = Fail(Code::kInvalid, "this endpoint takes application/json and text/csv");
  return serving::Protocol::kInvocations;
}

const char* DatatypeOf(const std::string& type) {
  if (type == "string" || type == "category" || type == "date" || type == "datetime") return "BYTES";
  if (type == "bool") return "BOOL";
  return type == "int" ? "INT64" : "FP64";
}

Json Metadata(const serving::Endpoint& endpoint) {
  const auto snapshot = endpoint.snapshot();
  Json versions = Json::MakeArray(), inputs = Json::MakeArray(), outputs = Json::MakeArray();
  for (const serving::Variant& v : snapshot->variants) versions.Push(v.model->version_text());
  const model::Signature& signature = snapshot->champion().model->signature();
  for (const model::InputColumn& column : signature.inputs)
    inputs.Push(Json::MakeObject().Set("name", column.name).Set("datatype", DatatypeOf(column.type)).Set("shape", Json::MakeArray().Push(-1).Push(1)));
  for (const serving::OutputInfo& out : serving::OutputsOf(signature))
    outputs.Push(Json::MakeObject().Set("name", out.name).Set("datatype", out.datatype).Set("shape", Json::MakeArray().Push(-1).Push(out.width)));
  return Json::MakeObject().Set("name", endpoint.name()).Set("versions", versions).Set("platform", "onnx_onnxv1").Set("inputs", inputs).Set("outputs", outputs);
}

bool Ready(const std::shared_ptr<serving::Endpoint>& endpoint, const std::string& version) {
  if (!endpoint) return false;
  const auto snapshot = endpoint->snapshot();
  if (!snapshot || snapshot->variants.empty()) return false;
  return version.empty() || std::any_of(snapshot->variants.begin(), snapshot->variants.end(), [&](const serving::Variant& v) { return v.model->version_text() == version; });
}

RouteRow& OnLoop(RouteRow& row, ErrorStyle errors) {
  row.run_on = net::RunOn::kLoop;
  row.errors = errors;
  return row;
}

}  // namespace

void AddInfer(Router& router) {
  OnLoop(router.Get("/v2", Permission::kRead | Scope::kListed, "Inference server metadata", [](Call&) -> Result<net::Response> {
           return JsonResponse(Json::MakeObject().Set("name", "rondo").Set("version", kVersion).Set("extensions", Json::MakeArray()));
         }), ErrorStyle::kInference);
  OnLoop(router.Get("/v2/health/live", Permission::kPublic, "Is the inference server alive", [](Call&) -> Result<net::Response> { return JsonResponse(Json::MakeObject().Set("live", true)); }), ErrorStyle::kInference);
  OnLoop(router.Get("/v2/health/ready", Permission::kPublic, "Can all endpoints answer", [](Call& call) -> Result<net::Response> {
           bool ready = call.context().serving != nullptr;
           if (ready)
             for (const auto& endpoint : call.context().serving->List()) ready &= Ready(endpoint, "");
           return JsonResponse(Json::MakeObject().Set("ready", ready), ready ? 200 : 503);
         }), ErrorStyle::kInference);
  OnLoop(router.Get("/v2/models", Permission::kRead | Scope::kListed, "Names of the endpoints", [](Call& call) -> Result<net::Response> {
           Json names = Json::MakeArray();
           if (call.context().serving)
             for (const auto& endpoint : call.context().serving->List())
               if (call.MayReadEndpoint(endpoint->name())) names.Push(endpoint->name());
           return JsonResponse(Json::MakeObject().Set("models", names));
         }), ErrorStyle::kInference);
  for (const std::string& base : {std::string("/v2/models/{model}"), std::string("/v2/models/{model}/versions/{version}")}) {
    OnLoop(router.Get(base, Permission::kRead | Scope::kEndpoint, "Inputs and outputs of an endpoint", [](Call& call) -> Result<net::Response> {
             auto endpoint = FindEndpoint(call, call.Path("model"));
             if (!Ready(endpoint, call.Path("version"))) return std::unexpected(NoEndpoint(call.Path("model")));
             return JsonResponse(Metadata(*endpoint));
           }), ErrorStyle::kInference);
    OnLoop(router.Get(base + "/ready", Permission::kRead | Scope::kEndpoint, "Can the endpoint answer", [](Call& call) -> Result<net::Response> {
             auto endpoint = FindEndpoint(call, call.Path("model"));
             if (!endpoint) return std::unexpected(NoEndpoint(call.Path("model")));
             const bool ready = Ready(endpoint, call.Path("version"));
             return JsonResponse(Json::MakeObject().Set("name", call.Path("model")).Set("ready", ready), ready ? 200 : 503);
           }), ErrorStyle::kInference);
    RouteRow& row = router.AddRaw("POST", base + "/infer", Permission::kPredict | Scope::kEndpoint, "Predict (Open Inference Protocol v2)", [](Call& call, net::Reply reply) { Infer(call, std::move(reply), serving::Protocol::kOip); });
    OnLoop(row, ErrorStyle::kInference).max_body = 64u << 20;
  }
  RouteRow& invocations = router.AddRaw("POST", "/endpoints/{endpoint}/invocations", Permission::kPredict | Scope::kEndpoint, "Predict (MLflow's scoring protocol)", [](Call& call, net::Reply reply) {
    Status status;
    const serving::Protocol protocol = InvocationsProtocol(call.request(), status);
    if (!status) {
      net::Response response = Error(status.error(), protocol);
      response.status = 415;
      return reply.Send(std::move(response));
    }
    Infer(call, std::move(reply), protocol);
  });
  OnLoop(invocations, ErrorStyle::kMlflow).max_body = 64u << 20;
  for (const char* path : {"/endpoints/{endpoint}/ping", "/endpoints/{endpoint}/health"})
    OnLoop(router.Get(path, Permission::kRead | Scope::kEndpoint, "Can the endpoint answer (MLflow's way)", [](Call& call) -> Result<net::Response> {
             auto endpoint = FindEndpoint(call, call.Path("endpoint"));
             return net::Response{Ready(endpoint, "") ? 200 : 404, "application/json", {}, "\n", {}};
           }), ErrorStyle::kMlflow);
}

}  // namespace rondo::api
