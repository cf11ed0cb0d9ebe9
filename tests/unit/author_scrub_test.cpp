// What a recording must not tell (src/author/scrub.h).
#include <gtest/gtest.h>

#include "author/scrub.h"

namespace tarn::author {
namespace {

using Json = nlohmann::json;

class Scrub : public testing::Test {
  protected:
    std::string body(const std::string& text) {
        scrubber_.learn(text);
        return Json::parse(scrubber_.body(text)).dump();
    }
    Scrubber scrubber_{"https://git.bigcorp.test:8443/api/v3/", {"s3cr3t-of-mine", ""}};
};

TEST_F(Scrub, PersonsAreKnownByTheirMembers) {
    EXPECT_EQ(
        body(
            R"({"author": {"name": "Ann Lee"}, "reviewers": [{"name": "Bo Xi"}], "repo": {"name": "rocket"}})"),
        R"({"author":{"name":"Person 1"},"repo":{"name":"rocket"},"reviewers":[{"name":"Person 2"}]})");
    EXPECT_EQ(body(R"({"lead": {"displayName": "Ann Lee", "accountId": "5b10-aa", "company": "Big"}})"),
              R"({"lead":{"accountId":"id-3","company":"scrubbed","displayName":"Person 1"}})");
    EXPECT_EQ(body(R"({"assignee": "ann", "labels": ["urgent"]})"),
              R"({"assignee":"user-4","labels":["urgent"]})");
}

TEST_F(Scrub, NamesGoFromTextsAndUrlsAsWholeWords) {
    EXPECT_EQ(
        body(
            R"({"user": {"login": "ann"}, "text": "ann and annex", "url": "https://x.test/users/ann/repos?by=ann"})"),
        R"({"text":"user-1 and annex","url":"https://x.test/users/user-1/repos?by=user-1","user":{"login":"user-1"}})");
    EXPECT_EQ(scrubber_.target("users/ann%2Fx?q=author%3Aann&page=2"),
              "users/user-1%2Fx?q=author%3Auser-1&page=2");
    EXPECT_EQ(scrubber_.values({{"full_name", "ann/rocket"}, {"id", 7}}),
              (Json{{"full_name", "user-1/rocket"}, {"id", 7}}));
}

TEST_F(Scrub, OneNameWithinAnotherIsNotTakenApart) {
    EXPECT_EQ(body(R"({"user": {"login": "ann", "name": "ann lee"}, "text": "ann lee, ann"})"),
              R"({"text":"Person 2, user-1","user":{"login":"user-1","name":"Person 2"}})");
}

TEST_F(Scrub, IdsOfPersonsAreReplacedWhereverTheyStand) {
    EXPECT_EQ(
        body(
            R"({"creator": {"id": 70001}, "owner_id": 70001, "path": "/u/70001/x", "number": 5, "actor": {"id": 12}})"),
        R"({"actor":{"id":12},"creator":{"id":900000001},"number":5,"owner_id":900000001,"path":"/u/900000001/x"})");
}

TEST_F(Scrub, AddressesMentionsAndSignatures) {
    EXPECT_EQ(
        body(
            R"({"message": "Fix\n\nCo-authored-by: Jo Ro <jo@x.test>", "also": "jo@x.test, @jo-ro (@jo-ro) a@b"})"),
        R"({"also":"user-2@example.com, @user-3 (@user-3) a@b","message":"Fix\n\nCo-authored-by: Person 1 <user-2@example.com>"})");
}

TEST_F(Scrub, Secrets) {
    EXPECT_EQ(
        body(
            R"({"token": "abc", "private_key": "x", "text": "s3cr3t-of-mine", "empty_token": "", "password": ""})"),
        R"({"empty_token":"","password":"","private_key":"scrubbed","text":"scrubbed","token":"scrubbed"})");
    for (const std::string secret :
         {"ghp_abcdefghijklmnop1234", "glpat-abcdefghijkl1234", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
          "Bearer abcdefghijklmnopqrstu", "?access_token=abc123",
          "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"}) {
        auto text = scrubber_.text("x " + secret + " y");
        EXPECT_NE(text.find("scrubbed"), std::string::npos) << text;
        EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
    EXPECT_EQ(scrubber_.text("https://me:pass@x.test/a"), "https://x.test/a");
    EXPECT_EQ(scrubber_.text("basic authentication is fine"), "basic authentication is fine");
}

TEST_F(Scrub, AvatarsAndTheEndpointsHost) {
    EXPECT_EQ(
        body(
            R"({"avatarUrls": {"48x48": "https://i.test/1"}, "self": "https://git.bigcorp.test:8443/api/v3/x"})"),
        R"({"avatarUrls":{"48x48":"https://source.example/avatar.png"},"self":"https://source.example/api/v3/x"})");
}

TEST_F(Scrub, WhatIsNoJsonIsScrubbedAsText) {
    scrubber_.learn("not json");
    EXPECT_EQ(scrubber_.body("<a href='mailto:jo@x.test'>"), "<a href='mailto:user-1@example.com'>");
}

}  // namespace
}  // namespace tarn::author
