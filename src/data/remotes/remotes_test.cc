// Remotes: folders end to end, downloads against a source with faults, configuration, the index.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "data/remotes/known.h"
#include "data/remotes/remote.h"
#include "data/remotes/staging.h"
#include "data/remotes/wanted.h"

namespace rondo::data::remotes {
namespace {

ObjectId IdOf(std::string_view bytes, bool dir = false) { return {Md5Of(bytes), dir}; }
std::string RandomBytes(size_t n, uint64_t seed) {
  Random random(seed);
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(random.Next());
  return out;
}
std::unique_ptr<Remote> Local(const fs::path& path) { return std::move(*OpenLocalRemote({{"url", path.string()}})); }
mode_t ModeOf(const fs::path& path) {
  struct stat st {};
  ::stat(path.c_str(), &st);
  return st.st_mode & 07777;
}
/// Into the cache without waiting for the disk.
ObjectId Store(const Cache& cache, const std::string& bytes) {
  const ObjectId id = IdOf(bytes);
  fs::create_directories(cache.PathOf(id).parent_path());
  std::ofstream(cache.PathOf(id), std::ios::binary) << bytes;
  return id;
}
void Damage(const fs::path& path) {
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path, std::ios::binary) << "other bytes";
  fs::permissions(path, fs::perms::owner_read);
}

TEST(LocalRemote, ThereAndBack) {
  const TempDir dir;
  const Cache a(dir.path() / "a"), b(dir.path() / "b");
  std::vector<ObjectId> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(Store(a, "object " + std::to_string(i)));
  ids.push_back(Store(a, ""));
  ids.push_back(Store(a, RandomBytes(3u << 20, 1)));
  const auto remote = Local(dir.path() / "remote");
  const Report pushed = remote->Put(ids, a, {});
  EXPECT_EQ(pushed.done.size(), ids.size());
  EXPECT_FALSE(pushed.stopped);
  const Cache tree(dir.path() / "remote");
  EXPECT_EQ(ModeOf(tree.PathOf(ids[0])), 0444u);
  auto present = remote->Present(ids, {});
  ASSERT_TRUE(present);
  EXPECT_EQ(present->size(), std::set<ObjectId>(ids.begin(), ids.end()).size());
  EXPECT_EQ(remote->ListObjects({})->size(), ids.size());
  const Report fetched = remote->Get(ids, b, {});
  EXPECT_EQ(fetched.done.size(), ids.size());
  for (const ObjectId& id : ids) EXPECT_TRUE(b.Verify(id));
  // Nothing unfinished is left behind.
  size_t strange = 0;
  EXPECT_TRUE(b.ForEach([](const Cache::Object&) {}, [&](const fs::path&) { ++strange; }));
  EXPECT_EQ(strange, 0u);
}

TEST(LocalRemote, DamagedAndMissingObjectsAreNamedAndTheRestArrives) {
  const TempDir dir;
  const Cache a(dir.path() / "a"), b(dir.path() / "b");
  const ObjectId good = Store(a, "good"), bad = Store(a, "bad"), big = Store(a, RandomBytes(2u << 20, 2)), none = IdOf("none");
  Damage(a.PathOf(bad));
  Damage(a.PathOf(big));
  const auto remote = Local(dir.path() / "remote");
  const Report report = remote->Put(std::vector<ObjectId>{good, bad, big, none}, a, {});
  EXPECT_EQ(report.done, std::vector<ObjectId>{good});
  EXPECT_EQ(report.missing, std::vector<ObjectId>{none});
  ASSERT_EQ(report.failed.size(), 2u);
  for (const auto& [id, error] : report.failed) EXPECT_EQ(error.code, Code::kFailedCheck);
  EXPECT_EQ(remote->ListObjects({})->size(), 1u);
  // A damaged object of the remote does not get into a cache, and replaces nothing.
  Damage(Cache(dir.path() / "remote").PathOf(good));
  ASSERT_TRUE(b.PutBytes("good", false));
  const Report fetched = remote->Get(std::vector<ObjectId>{good}, b, {});
  EXPECT_EQ(fetched.failed.size(), 1u);
  EXPECT_TRUE(b.Verify(good));
}

TEST(LocalRemote, ManyAreFoundByListing) {
  const TempDir dir;
  const auto remote = Local(dir.path());
  const Cache tree(dir.path());
  std::vector<ObjectId> ids;
  for (int i = 0; i < 2500; ++i) ids.push_back(IdOf(std::to_string(i), i % 7 == 0));
  for (size_t i = 0; i < ids.size(); i += 5) {
    fs::create_directories(tree.PathOf(ids[i]).parent_path());
    std::ofstream(tree.PathOf(ids[i])) << "x";
  }
  std::ofstream(tree.objects() / "00strange") << "x";
  const auto present = remote->Present(ids, {});
  ASSERT_TRUE(present);
  EXPECT_EQ(present->size(), 500u);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(std::binary_search(present->begin(), present->end(), ids[i]), i % 5 == 0);
}

TEST(LocalRemote, FilesBesideTheObjects) {
  const TempDir dir;
  const auto remote = Local(dir.path());
  EXPECT_TRUE(remote->PutFile("runs/ab/x/y", "text"));
  EXPECT_EQ(*remote->GetFile("runs/ab/x/y"), "text");
  EXPECT_EQ(*remote->ListFiles("runs"), std::vector<std::string>{"runs/ab/x/y"});
  for (const char* bad : {"../x", "/etc/passwd", "a//b", "a/./b", "", "a/..", "a\nb", "a\\b"}) {
    EXPECT_EQ(remote->PutFile(bad, "x").error().code, Code::kInvalid) << bad;
    EXPECT_EQ(remote->GetFile(bad).error().code, Code::kInvalid) << bad;
  }
}

/// A source in memory that misbehaves on request.
struct Source {
  std::map<ObjectId, std::string> objects;
  std::function<void(const ObjectId&, uint64_t from)> before = [](const ObjectId&, uint64_t) {};
  std::function<Status(const ObjectId&, uint64_t from)> fail = [](const ObjectId&, uint64_t) { return Status(); };
  std::atomic<uint64_t> served{0};
  ReadRange Reader() {
    return [this](const ObjectId& id, uint64_t from, uint64_t to, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) -> Status {
      RONDO_DO(fail(id, from));
      const auto it = objects.find(id);
      if (it == objects.end()) return Fail(Code::kNotFound, "no such object");
      const std::string_view bytes = it->second;
      if (total) *total = bytes.size();
      for (uint64_t at = from; at < std::min<uint64_t>(to, bytes.size());) {
        const size_t n = std::min<size_t>(1u << 20, std::min<uint64_t>(to, bytes.size()) - at);
        served += n;
        if (!sink(at, bytes.substr(at, n))) return Fail(Code::kConflict, "not wanted");
        at += n;
      }
      return {};
    };
  }
};

TEST(Download, LargeObjectsComeInRangesAndGoOnAfterAFailure) {
  const TempDir dir;
  const Cache cache(dir.path());
  const std::string bytes = RandomBytes(75u << 20, 3);
  const ObjectId id = IdOf(bytes);
  Source source;
  source.objects[id] = bytes;
  source.fail = [](const ObjectId&, uint64_t from) -> Status {
    if (from >= (64u << 20)) return Fail(Code::kUnavailable, "cut");
    return {};
  };
  Report report = Download(std::vector<ObjectId>{id}, cache, 4, {}, source.Reader());
  EXPECT_EQ(report.failed.size(), 1u);
  EXPECT_FALSE(cache.Has(id));
  source.fail = [](const ObjectId&, uint64_t) { return Status(); };
  source.served = 0;
  report = Download(std::vector<ObjectId>{id}, cache, 4, {}, source.Reader());
  EXPECT_EQ(report.done.size(), 1u);
  EXPECT_TRUE(cache.Verify(id));
  EXPECT_LT(source.served, 50u << 20);  // the first request and what was missing, not all again
  EXPECT_FALSE(fs::exists(dir.path() / "rondo-partial"));
}

TEST(Download, WrongBytesNeverGetIn) {
  const TempDir dir;
  const Cache cache(dir.path());
  const std::string bytes = RandomBytes(40u << 20, 4);
  Source source;
  const ObjectId small = IdOf("small"), large = IdOf(bytes), gone = IdOf("gone"), cut = IdOf("a longer text");
  source.objects[small] = "smell";
  source.objects[large] = bytes;
  source.objects[large][39u << 20] ^= 1;
  source.objects[cut] = "a longer";
  const Report report = Download(std::vector<ObjectId>{small, large, gone, cut}, cache, 4, {}, source.Reader());
  EXPECT_TRUE(report.done.empty());
  EXPECT_EQ(report.missing, std::vector<ObjectId>{gone});
  EXPECT_EQ(report.failed.size(), 3u);
  for (const ObjectId& id : {small, large, gone, cut}) EXPECT_FALSE(cache.Has(id));
  size_t strange = 0;
  EXPECT_TRUE(cache.ForEach([](const Cache::Object&) {}, [&](const fs::path&) { ++strange; }));
  EXPECT_EQ(strange, 0u);
}

TEST(Download, AskedAgainWhenTheWayDamagedIt) {
  const TempDir dir;
  const Cache cache(dir.path());
  const ObjectId id = IdOf("right");
  Source source;
  int calls = 0;
  source.fail = [&](const ObjectId&, uint64_t) {
    source.objects[id] = calls++ == 0 ? "wrong" : "right";
    return Status();
  };
  EXPECT_EQ(Download(std::vector<ObjectId>{id}, cache, 1, {}, source.Reader()).done.size(), 1u);
}

TEST(Download, StopsWhenNothingWorks) {
  const TempDir dir;
  const Cache cache(dir.path());
  std::vector<ObjectId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(IdOf(std::to_string(i)));
  Source source;
  std::atomic<int> calls{0};
  source.fail = [&](const ObjectId&, uint64_t) -> Status {
    ++calls;
    return Fail(Code::kUnauthorized, "expired");
  };
  const Report report = Download(ids, cache, 4, {}, source.Reader());
  ASSERT_TRUE(report.stopped);
  EXPECT_EQ(report.stopped->code, Code::kUnauthorized);
  EXPECT_LT(calls, 10);
}

/// A repository's configuration in a folder.
dvc::Config ConfigOf(const TempDir& dir, const std::string& text) {
  fs::create_directories(dir.path() / ".dvc");
  std::ofstream(dir.path() / ".dvc/config") << text;
  return std::move(*dvc::Config::Load(dir.path() / ".dvc"));
}

TEST(RemoteConfig, ResolvesAndRefuses) {
  const TempDir dir;
  const auto config = ConfigOf(dir,
                               "[core]\n    remote = sub\n['remote \"base\"']\n    url = ../store\n['remote \"sub\"']\n    url = remote://base/below/it\n['remote \"loop\"']\n    url = remote://loop\n"
                               "['remote \"ssh\"']\n    url = ssh://h/x\n['remote \"odd\"']\n    url = foo://x\n['remote \"typo\"']\n    url = s3://b\n    endpointurll = http://x\n"
                               "['remote \"cloud\"']\n    url = s3://b\n    version_aware = true\n['remote \"flag\"']\n    url = s3://b/p\n    use_ssl = maybe\n");
  EXPECT_EQ((*ResolveRemote(config, "sub")).at("url"), (dir.path() / "store/below/it").string());
  EXPECT_EQ(*DefaultRemote(config), "sub");
  EXPECT_TRUE(OpenRemote(config, ""));
  EXPECT_EQ(OpenRemote(config, "nope").error().message, "remote 'nope' doesn't exist");
  EXPECT_EQ(OpenRemote(config, "loop").error().code, Code::kInvalid);
  EXPECT_EQ(OpenRemote(config, "ssh").error().code, Code::kUnsupported);
  EXPECT_EQ(OpenRemote(config, "odd").error().code, Code::kInvalid);
  EXPECT_EQ(OpenRemote(config, "cloud").error().code, Code::kUnsupported);
  EXPECT_EQ(OpenRemote(config, "flag").error().code, Code::kInvalid);
  const auto typo = OpenRemote(config, "typo");
  EXPECT_NE(typo.error().message.find("endpointurll"), std::string::npos);
  EXPECT_NE(typo.error().hint.find("endpointurl"), std::string::npos);
}

TEST(KnownFolders, RemembersForgetsAndExpires) {
  const TempDir dir;
  const ObjectId a = IdOf("a", true), b = IdOf("b", true);
  auto known = KnownFolders::Load(dir.path(), "s3 x");
  known.Add(a, 1'000'000);
  known.Add(b, 1'000'000);
  known.Remove(b);
  ASSERT_TRUE(known.Save());
  const auto again = KnownFolders::Load(dir.path(), "s3 x");
  EXPECT_TRUE(again.Has(a, 1'000'001));
  EXPECT_FALSE(again.Has(b, 1'000'001));
  EXPECT_FALSE(again.Has(a, 1'000'000 + 15LL * 24 * 3600 * 1000));
  EXPECT_FALSE(again.Has(a, 999'999));  // from the future: the clock went back
  EXPECT_FALSE(KnownFolders::Load(dir.path(), "s3 y").Has(a, 1'000'001));
  for (const auto& entry : fs::recursive_directory_iterator(dir.path()))
    if (entry.is_regular_file()) std::ofstream(entry.path()) << "\xff garbage\n../../x 5\n" << a.Text() << " x\n";
  EXPECT_FALSE(KnownFolders::Load(dir.path(), "s3 x").Has(a, 1'000'001));
}

TEST(RunCacheEntries, NameTheirOutputs) {
  const std::string text = "cmd: x\nouts:\n- path: a\n  hash: md5\n  md5: " + IdOf("a").Text() + "\n  size: 1\n- path: b\n  md5: " + IdOf("b", true).Text() + "\n- path: c\n  md5: ../../etc\n";
  EXPECT_EQ(ObjectsOfRun(text, "run"), (std::vector<ObjectId>{IdOf("a"), IdOf("b", true)}));
  EXPECT_TRUE(ObjectsOfRun("- [", "run").empty());
}

}  // namespace
}  // namespace rondo::data::remotes
