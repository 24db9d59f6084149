// The local object store: atomic, and no way out of its folder.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "blob/blob.h"

namespace rondo::blob {
namespace {

struct Store : ::testing::Test {
  TempDir dir;
  std::unique_ptr<BlobStore> store = *OpenLocal(dir.path() / "root");
};

TEST_F(Store, KeepsObjects) {
  ASSERT_TRUE(store->Put("0/run/artifacts/a.txt", "one"));
  ASSERT_TRUE(store->Put("0/run/artifacts/a.txt", "two"));
  ASSERT_TRUE(store->Put("0/run/artifacts/sub/b.bin", std::string(1'000'000, 'b')));
  ASSERT_TRUE(store->Put("0/run/artifacts/empty", ""));
  EXPECT_EQ(*store->Get("0/run/artifacts/a.txt"), "two");
  EXPECT_EQ(store->Get("0/run/artifacts/sub/b.bin")->size(), 1'000'000u);
  EXPECT_EQ(*ReadFile(*store->LocalPath("0/run/artifacts/a.txt")), "two");
  const auto list = *store->List("0/run/artifacts");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name, "0/run/artifacts/a.txt");
  EXPECT_EQ(list[0].size, 3);
  EXPECT_EQ(list[2].name, "0/run/artifacts/sub");
  EXPECT_TRUE(list[2].is_dir);
  EXPECT_EQ(store->List("0/run/artifacts")->size(), 3u) << "a second listing starts at the beginning";
  EXPECT_EQ(store->List("")->size(), 1u) << "the staging folder is no object";
  EXPECT_TRUE(store->List("nowhere")->empty());
  EXPECT_TRUE(store->List("0/run/artifacts/a.txt")->empty());
  EXPECT_EQ(*store->LocalPath("0/run/artifacts"), dir.path() / "root/0/run/artifacts");
  EXPECT_TRUE(*store->Exists("0/run"));
  EXPECT_FALSE(*store->Exists("0/none/x"));
  EXPECT_EQ(store->Get("0/none").error().code, Code::kNotFound);
  EXPECT_EQ(store->Get("0/run/artifacts/a.txt/below").error().code, Code::kNotFound);
  EXPECT_EQ(store->Get("0/run").error().code, Code::kInvalid);
  EXPECT_EQ(store->Put("0/run", "x").error().code, Code::kConflict);
  EXPECT_EQ(store->Put("0/run/artifacts/a.txt/x", "x").error().code, Code::kConflict);
  EXPECT_EQ(store->Get("0/none").error().message.find(dir.path().string()), std::string::npos) << "no path of the machine";
  ASSERT_TRUE(store->Delete("0/run/artifacts/a.txt"));
  ASSERT_TRUE(store->Delete("0"));
  EXPECT_TRUE(store->List("")->empty());
  EXPECT_EQ(store->Delete("0").error().code, Code::kNotFound);
}

TEST_F(Store, NamesCannotLeaveTheFolder) {
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "secret", "s"));
  const std::string bad[] = {"", "/", "/etc/passwd", "..", "../secret", "a/../../secret", "a/..", "./a", "a/.", "a//b", "a/", "a\\b", "..\\secret", std::string("a\0b", 3), ".tmp/x", std::string(300, 'x'),
                             "a/../b"};
  for (const std::string& name : bad) {
    EXPECT_EQ(CheckName(name).error().code, Code::kInvalid) << name;
    EXPECT_FALSE(store->Put(name, "x")) << name;
    EXPECT_FALSE(store->Get(name)) << name;
    EXPECT_FALSE(store->LocalPath(name)) << name;
    EXPECT_FALSE(store->Delete(name)) << name;
    EXPECT_FALSE(store->Exists(name)) << name;
    EXPECT_TRUE(name.empty() || !store->List(name)) << name;
  }
  for (const char* name : {"a", "..a", "a..", "%2e%2e/x", "a b/ü", ".hidden"}) EXPECT_TRUE(CheckName(name)) << name;
  EXPECT_EQ(*ReadFile(dir.path() / "secret"), "s");
}

TEST_F(Store, LinksAreNotFollowed) {
  fs::create_directories(dir.path() / "outside");
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "outside/secret", "s"));
  fs::create_directory_symlink(dir.path() / "outside", dir.path() / "root/out");
  fs::create_symlink(dir.path() / "outside/secret", dir.path() / "root/file");
  EXPECT_FALSE(store->Get("out/secret"));
  EXPECT_FALSE(store->Get("file"));
  EXPECT_FALSE(store->LocalPath("file"));
  EXPECT_FALSE(store->LocalPath("out"));
  EXPECT_FALSE(store->Put("out/new", "x"));
  EXPECT_TRUE(store->List("out") == std::vector<Entry>{} || !store->List("out"));
  EXPECT_TRUE(store->List("")->empty());
  EXPECT_FALSE(*store->Exists("file"));
  // Writing over a link replaces the link, deleting a link deletes the link.
  ASSERT_TRUE(store->Put("file", "mine"));
  EXPECT_EQ(*store->Get("file"), "mine");
  ASSERT_TRUE(store->Delete("out"));
  EXPECT_EQ(*ReadFile(dir.path() / "outside/secret"), "s");
  EXPECT_FALSE(fs::exists(dir.path() / "outside/new"));
  ASSERT_EQ(mkfifo((dir.path() / "root/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(store->Get("pipe")) << "must not block either";
}

TEST_F(Store, ABrokenStreamLeavesTheOldObject) {
  ASSERT_TRUE(store->Put("x/a", "old"));
  int calls = 0;
  const Status status = store->PutStream("x/a", [&](char* buffer, size_t size) -> Result<size_t> {
    if (++calls == 3) return Fail(Code::kUnavailable, "the client has gone");
    std::fill(buffer, buffer + size, 'n');
    return size;
  });
  EXPECT_EQ(status.error().code, Code::kUnavailable);
  EXPECT_EQ(*store->Get("x/a"), "old");
  EXPECT_TRUE(fs::is_empty(dir.path() / "root/.tmp"));
}

TEST_F(Store, WritersOfOneNameDoNotMix) {
  std::vector<std::jthread> threads;
  for (char c = 'a'; c < 'i'; ++c)
    threads.emplace_back([&, c] {
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(store->Put("shared/x", std::string(10'000, c)));
    });
  for (int i = 0; i < 50; ++i)
    if (auto got = store->Get("shared/x")) {
      EXPECT_EQ(got->find_first_not_of((*got)[0]), std::string::npos);
    }
  threads.clear();
  EXPECT_EQ(store->Get("shared/x")->size(), 10'000u);
}

TEST_F(Store, CopiesFiles) {
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f", std::string(700'000, 'f')));
  ASSERT_TRUE(store->PutFile("k/f", dir.path() / "f"));
  EXPECT_EQ(store->Get("k/f")->size(), 700'000u);
  EXPECT_EQ(store->PutFile("k/g", dir.path() / "none").error().code, Code::kNotFound);
}

TEST_F(Store, AdoptsFiles) {
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "spooled", "bytes", 0600));
  ASSERT_TRUE(store->Adopt("k/a", dir.path() / "spooled"));
  EXPECT_EQ(*store->Get("k/a"), "bytes");
  EXPECT_FALSE(fs::exists(dir.path() / "spooled"));
  EXPECT_FALSE(store->Adopt("../x", dir.path() / "spooled"));
  EXPECT_EQ(store->Adopt("k/b", dir.path() / "spooled").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace rondo::blob
