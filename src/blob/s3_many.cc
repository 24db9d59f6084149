// Listings, deletions and multipart uploads of S3.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <mutex>

#include "base/hash.h"
#include "base/thread_pool.h"
#include "blob/s3.h"
#include "blob/s3_xml.h"

namespace rondo::blob {
namespace {

constexpr uint64_t kPart = 16u << 20;
constexpr uint64_t kMaxParts = 9'000;  // the service's limit is 10,000

uint64_t ToNumber(const std::string& text) {
  uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string Unquoted(std::string etag) {
  std::erase(etag, '"');
  return etag;
}

Result<std::string> Md5OfRange(int fd, uint64_t offset, uint64_t size) {
  Hasher hasher(HashKind::kMd5);
  std::vector<char> buffer(256u << 10);
  for (uint64_t done = 0; done < size;) {
    const ssize_t n = ::pread(fd, buffer.data(), std::min<uint64_t>(buffer.size(), size - done), static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Fail(Code::kFailedCheck, "the file became shorter while it was sent");
    hasher.Update({buffer.data(), static_cast<size_t>(n)});
    done += static_cast<uint64_t>(n);
  }
  return hasher.HexDigest();
}

}  // namespace

Result<S3Page> S3::ListPage(const std::string& prefix, const std::string& delimiter, const std::string& start_after) {
  Call call{.method = "GET", .query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix}}};
  if (!delimiter.empty()) call.query.emplace_back("delimiter", delimiter);
  if (!start_after.empty()) call.query.emplace_back("start-after", start_after);
  Result<XmlNode> xml = Fail(Code::kUnavailable, "");
  for (int attempt = 0; !xml; ++attempt) {  // a cut or strange page is asked for again
    RONDO_TRY(const net::ClientResponse answer, Send(call));
    if (answer.status != 200) return std::unexpected(ErrorOf(call, answer));
    xml = ParseXml(answer.body);
    if (xml && xml->name != "ListBucketResult") xml = Fail(Code::kUnavailable, "listing s3://" + bucket_ + ": the answer is <" + xml->name + ">, no listing");
    if (!xml && attempt + 1 >= settings_.attempts) return std::unexpected(xml.error());
    if (!xml) Wait(attempt, nullptr);
  }
  auto decode = [&](const std::string& text) {
    if (xml->Text("EncodingType") != "url") return text;
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        if (const auto byte = HexDecode(text.substr(i + 1, 2))) {
          out += *byte;
          i += 2;
          continue;
        }
      }
      out += text[i] == '+' ? ' ' : text[i];
    }
    return out;
  };
  S3Page page;
  for (const XmlNode& node : xml->children) {
    if (node.name == "Contents") page.objects.push_back({decode(node.Text("Key")), ToNumber(node.Text("Size")), Unquoted(node.Text("ETag")), node.Text("LastModified")});
    else if (node.name == "CommonPrefixes") page.prefixes.push_back(decode(node.Text("Prefix")));
  }
  page.more = xml->Text("IsTruncated") == "true";
  // A service that repeats itself would keep us for ever.
  if (page.more && page.objects.empty() && page.prefixes.empty()) return Fail(Code::kUnavailable, "listing s3://" + bucket_ + "/" + prefix + ": an empty page that claims to have a next one");
  const std::string last = std::max(page.objects.empty() ? "" : page.objects.back().key, page.prefixes.empty() ? "" : page.prefixes.back());
  if (page.more && !start_after.empty() && last <= start_after) return Fail(Code::kUnavailable, "listing s3://" + bucket_ + "/" + prefix + ": the pages don't go forward at \"" + last + "\"");
  return page;
}

Status S3::List(const std::string& prefix, const std::function<bool(const S3Object&)>& each) {
  std::string after;
  for (;;) {
    RONDO_TRY(const S3Page page, ListPage(prefix, "", after));
    for (const S3Object& object : page.objects)
      if (!each(object)) return {};
    if (!page.more) return {};
    after = page.objects.back().key;
  }
}

Status S3::Delete(const std::vector<std::string>& keys) {
  for (size_t at = 0; at < keys.size(); at += 1000) {
    std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
    for (size_t i = at; i < std::min(keys.size(), at + 1000); ++i) body += "<Object><Key>" + XmlEscape(keys[i]) + "</Key></Object>";
    body += "</Delete>";
    Call call{.method = "POST", .query = {{"delete", ""}}, .headers = {{"content-type", "application/xml"}, {"content-md5", Base64Encode(*HexDecode(Md5Hex(body)))}}, .body = body};
    RONDO_TRY(const net::ClientResponse answer, Send(call));
    if (answer.status != 200) return std::unexpected(ErrorOf(call, answer));
    RONDO_TRY(const XmlNode xml, ParseXml(answer.body));
    for (const XmlNode& node : xml.children)
      if (node.name == "Error" && node.Text("Code") != "NoSuchKey")
        return Fail(node.Text("Code") == "AccessDenied" ? Code::kForbidden : Code::kEnvironment, fmt::format("S3 DELETE of s3://{}/{}: {}", bucket_, node.Text("Key"), node.Text("Code")));
  }
  return {};
}

Status S3::PutMultipart(const std::string& key, int fd, uint64_t size, size_t threads, const std::function<Status()>& before_completion, const ByteCount& count) {
  const uint64_t part_size = std::max(kPart, (size / kMaxParts + (1u << 20)) >> 20 << 20);
  const size_t parts = static_cast<size_t>((size + part_size - 1) / part_size);
  std::string upload;
  std::vector<std::string> etags(parts);

  // An upload that was cut: its parts are there already. ETags are the parts' MD5 (unless the service encrypts with own keys: then they are sent again).
  Call list{.method = "GET", .query = {{"uploads", ""}, {"prefix", key}}};
  RONDO_TRY(const net::ClientResponse listed, Send(list));
  if (const auto xml = ParseXml(listed.body); listed.status == 200 && xml)
    for (const XmlNode& node : xml->children)
      if (node.name == "Upload" && node.Text("Key") == key) upload = node.Text("UploadId");
  if (!upload.empty()) {
    std::string marker;
    for (bool more = true; more;) {
      Call had{.method = "GET", .key = key, .query = {{"uploadId", upload}}};
      if (!marker.empty()) had.query.emplace_back("part-number-marker", marker);
      RONDO_TRY(const net::ClientResponse answer, Send(had));
      const auto xml = ParseXml(answer.body);
      if (answer.status != 200 || !xml) {
        upload.clear();  // gone meanwhile
        break;
      }
      for (const XmlNode& node : xml->children) {
        if (node.name != "Part") continue;
        const uint64_t number = ToNumber(node.Text("PartNumber"));
        if (number < 1 || number > parts || ToNumber(node.Text("Size")) != std::min(part_size, size - (number - 1) * part_size)) continue;
        etags[number - 1] = node.Text("ETag");
      }
      const std::string next = xml->Text("NextPartNumberMarker");
      more = xml->Text("IsTruncated") == "true" && !next.empty() && next != marker;
      marker = next;
    }
  }
  if (upload.empty()) {
    etags.assign(parts, "");
    Call create{.method = "POST", .key = key, .query = {{"uploads", ""}}, .headers = WriteHeaders()};
    RONDO_TRY(const net::ClientResponse answer, Send(create));
    if (answer.status != 200) return std::unexpected(ErrorOf(create, answer));
    RONDO_TRY(const XmlNode xml, ParseXml(answer.body));
    upload = xml.Text("UploadId");
    if (upload.empty()) return Fail(Code::kUnavailable, "S3 gave no upload id for s3://" + bucket_ + "/" + key);
  }

  std::mutex mutex;
  Status status;
  ParallelFor(
      parts,
      [&](size_t i) {
        {
          const std::lock_guard lock(mutex);
          if (!status) return;
        }
        const uint64_t offset = i * part_size, length = std::min(part_size, size - offset);
        auto fail = [&](Error error) {
          const std::lock_guard lock(mutex);
          if (status) status = std::unexpected(std::move(error));
        };
        if (!etags[i].empty()) {
          const auto md5 = Md5OfRange(fd, offset, length);
          if (!md5) return fail(md5.error());
          if (*md5 == Unquoted(etags[i])) {
            if (count) count(length);
            return;
          }
        }
        Call put{.method = "PUT", .key = key, .query = {{"partNumber", std::to_string(i + 1)}, {"uploadId", upload}}, .headers = CustomerKeyHeaders(), .fd = fd, .offset = offset,
                 .size = length, .count = &count};
        put.headers.emplace_back("content-type", "application/octet-stream");
        const auto answer = Send(put);
        if (!answer) return fail(answer.error());
        if (answer->status != 200) return fail(ErrorOf(put, *answer));
        etags[i] = answer->Header("etag");
      },
      threads);
  if (status) status = before_completion();
  if (!status) {
    // Bytes that must not appear are thrown away; parts of an upload that was only cut stay for the next try.
    if (status.error().code == Code::kFailedCheck) (void)Send({.method = "DELETE", .key = key, .query = {{"uploadId", upload}}, .attempts = 2});
    return status;
  }
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < parts; ++i) body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, XmlEscape(etags[i]));
  body += "</CompleteMultipartUpload>";
  Call complete{.method = "POST", .key = key, .query = {{"uploadId", upload}}, .headers = CustomerKeyHeaders(), .body = body};
  complete.headers.emplace_back("content-type", "application/xml");
  RONDO_TRY(const net::ClientResponse answer, Send(complete));
  const auto xml = ParseXml(answer.body);
  if (answer.status == 200 && xml && xml->name != "Error") return {};
  // The answer to a completion may be lost while the completion was not: the object itself decides.
  if (const auto there = Head(key); there && *there && (*there)->size == size) return {};
  return std::unexpected(ErrorOf(complete, answer));
}

}  // namespace rondo::blob
