using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>What buckets do by themselves: rules of the lifecycle, replication, notifications, archives.</summary>
public sealed class BucketBehaviourTests : ServiceTestBase
{
    private const string Trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}""";

    private async Task<JsonObject> S3(string operation, JsonObject input, string? body = null, string region = "us-east-1") =>
        await Runtime.Service("s3")!.InvokeAsync(Context.InRegion(region).WithPayload(Encoding.UTF8.GetBytes(body ?? "")), operation, input);

    private async Task Bucket(string name, bool versioned = false, string region = "us-east-1")
    {
        await S3("CreateBucket", new JsonObject { ["Bucket"] = name }, region: region);
        if (versioned)
        {
            await S3("PutBucketVersioning", new JsonObject { ["Bucket"] = name, ["VersioningConfiguration"] = new JsonObject { ["Status"] = "Enabled" } });
        }
    }

    private Task<JsonObject> Put(string bucket, string key, string body = "x", string? tagging = null) => S3("PutObject", new JsonObject { ["Bucket"] = bucket, ["Key"] = key }.With("Tagging", tagging), body);

    private Task<JsonObject> Head(string bucket, string key) => S3("HeadObject", new JsonObject { ["Bucket"] = bucket, ["Key"] = key });

    private async Task<string> Keys(string bucket) => string.Join(" ", (await S3("ListObjectsV2", new JsonObject { ["Bucket"] = bucket })).Objects("Contents").Select(item => item.Text("Key")));

    private Task<JsonObject> Rules(string bucket, string rules) =>
        S3("PutBucketLifecycleConfiguration", new JsonObject { ["Bucket"] = bucket, ["LifecycleConfiguration"] = new JsonObject { ["Rules"] = JsonNode.Parse(rules) } });

    [Fact]
    public async Task Objects_expire_at_the_midnight_after_their_days_and_only_those_the_filter_takes()
    {
        await Bucket("data");
        await Rules("data", """[{"ID":"tmp","Status":"Enabled","Filter":{"Prefix":"tmp/"},"Expiration":{"Days":2}},{"ID":"tag","Status":"Enabled","Filter":{"And":{"Prefix":"","Tags":[{"Key":"k","Value":"v"}]}},"Expiration":{"Days":1}},{"ID":"off","Status":"Disabled","Filter":{"Prefix":""},"Expiration":{"Days":1}}]""");
        var answer = await Put("data", "tmp/a");
        Assert.EndsWith("rule-id=\"tmp\"", answer.Text("Expiration"), StringComparison.Ordinal);
        await Put("data", "keep");
        await Put("data", "tagged", tagging: "k=v");
        Pass(TimeSpan.FromDays(1));
        Assert.Equal("keep tagged tmp/a", await Keys("data"));
        Pass(TimeSpan.FromDays(1));
        Assert.Equal("keep tmp/a", await Keys("data"));
        Pass(TimeSpan.FromDays(1.1));
        Assert.Equal("keep", await Keys("data"));
        await S3("DeleteBucketLifecycle", new JsonObject { ["Bucket"] = "data" });
        Pass(TimeSpan.FromDays(5));
        Assert.Equal("keep", await Keys("data"));
    }

    [Fact]
    public async Task Old_versions_go_markers_without_versions_follow_and_uploads_are_given_up()
    {
        await Bucket("data", versioned: true);
        await Rules("data", """[{"Status":"Enabled","Filter":{},"NoncurrentVersionExpiration":{"NoncurrentDays":3,"NewerNoncurrentVersions":1},"Expiration":{"ExpiredObjectDeleteMarker":true},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}}]""");
        for (var i = 0; i < 4; i++)
        {
            await Put("data", "a", "v" + i);
        }
        await Put("data", "gone");
        var version = (await Head("data", "gone")).Text("VersionId");
        await S3("DeleteObject", new JsonObject { ["Bucket"] = "data", ["Key"] = "gone" });
        await S3("DeleteObject", new JsonObject { ["Bucket"] = "data", ["Key"] = "gone", ["VersionId"] = version });
        Assert.True((await S3("CreateMultipartUpload", new JsonObject { ["Bucket"] = "data", ["Key"] = "big" })).Has("AbortDate"));
        Pass(TimeSpan.FromDays(5));
        var listed = await S3("ListObjectVersions", new JsonObject { ["Bucket"] = "data" });
        Assert.Equal(2, listed.Objects("Versions").Count(item => item.Text("Key") == "a"));
        Assert.Empty(listed.Objects("DeleteMarkers"));
        Assert.Empty((await S3("ListMultipartUploads", new JsonObject { ["Bucket"] = "data" })).Objects("Uploads"));
    }

    [Fact]
    public async Task Objects_move_to_colder_classes_and_archives_are_read_after_a_restoration()
    {
        await Bucket("data");
        await Rules("data", """[{"Status":"Enabled","Filter":{"Prefix":""},"Transitions":[{"Days":30,"StorageClass":"STANDARD_IA"},{"Days":90,"StorageClass":"GLACIER"}]}]""");
        await Put("data", "large", new string('x', 200_000));
        await Put("data", "small");
        Pass(TimeSpan.FromDays(32));
        Assert.Equal("STANDARD_IA", (await Head("data", "large")).Text("StorageClass"));
        Assert.Null((await Head("data", "small")).Text("StorageClass"));
        Pass(TimeSpan.FromDays(60));
        var read = new JsonObject { ["Bucket"] = "data", ["Key"] = "large" };
        Assert.Equal("InvalidObjectState", (await Assert.ThrowsAsync<ServiceFault>(() => S3("GetObject", read))).Code);
        JsonObject restore = new() { ["Bucket"] = "data", ["Key"] = "large", ["RestoreRequest"] = new JsonObject { ["Days"] = 2, ["GlacierJobParameters"] = new JsonObject { ["Tier"] = "Standard" } } };
        await S3("RestoreObject", restore);
        Assert.Equal("ongoing-request=\"true\"", (await Head("data", "large")).Text("Restore"));
        Assert.Equal("RestoreAlreadyInProgress", (await Assert.ThrowsAsync<ServiceFault>(() => S3("RestoreObject", restore))).Code);
        Pass(TimeSpan.FromHours(5));
        Assert.Contains("ongoing-request=\"false\"", (await S3("GetObject", read)).Text("Restore"), StringComparison.Ordinal);
        Pass(TimeSpan.FromDays(4));
        Assert.Equal("InvalidObjectState", (await Assert.ThrowsAsync<ServiceFault>(() => S3("GetObject", read))).Code);
        var refused = await Assert.ThrowsAsync<ServiceFault>(() => Rules("data", """[{"Status":"Enabled","Filter":{"Prefix":""},"Transitions":[{"Days":10,"StorageClass":"STANDARD_IA"}]}]"""));
        Assert.Equal("InvalidArgument", refused.Code);
    }

    private async Task Replicated(string markers, string actions = "\"s3:*\"")
    {
        await Bucket("here", versioned: true);
        await Bucket("there", versioned: true, region: "us-west-2");
        await Call("iam", "CreateRole", new JsonObject { ["RoleName"] = "copier", ["AssumeRolePolicyDocument"] = Trust }.ToJsonString());
        await Call("iam", "PutRolePolicy", new JsonObject { ["RoleName"] = "copier", ["PolicyName"] = "p", ["PolicyDocument"] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[{{actions}}],"Resource":"*"}]}""" }.ToJsonString());
        await S3("PutBucketReplication", new JsonObject
        {
            ["Bucket"] = "here",
            ["ReplicationConfiguration"] = JsonNode.Parse($$$"""{"Role":"arn:aws:iam::123456789012:role/copier","Rules":[{"ID":"r","Priority":1,"Status":"Enabled","Filter":{"Prefix":"copy/"},"DeleteMarkerReplication":{"Status":"{{{markers}}}"},"Destination":{"Bucket":"arn:aws:s3:::there","StorageClass":"STANDARD_IA"} }]}"""),
        });
    }

    [Theory]
    [InlineData("Enabled", "")]
    [InlineData("Disabled", "copy/a")]
    public async Task Objects_reach_the_other_region_after_a_lag_under_the_same_version(string markers, string leftAfterDeletion)
    {
        await Replicated(markers);
        var version = (await Put("here", "copy/a", "hello")).Text("VersionId");
        await Put("here", "else/b");
        Assert.Equal("PENDING", (await Head("here", "copy/a")).Text("ReplicationStatus"));
        Assert.Equal("", await Keys("there"));
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal("COMPLETED", (await Head("here", "copy/a")).Text("ReplicationStatus"));
        Assert.Null((await Head("here", "else/b")).Text("ReplicationStatus"));
        var replica = await Head("there", "copy/a");
        Assert.Equal(("REPLICA", version, "STANDARD_IA"), (replica.Text("ReplicationStatus"), replica.Text("VersionId"), replica.Text("StorageClass")));
        Assert.Equal("copy/a", await Keys("there"));
        await S3("PutObjectTagging", new JsonObject { ["Bucket"] = "here", ["Key"] = "copy/a", ["Tagging"] = new JsonObject { ["TagSet"] = new JsonArray(new JsonObject { ["Key"] = "k", ["Value"] = "v" }) } });
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal("k", Assert.Single((await S3("GetObjectTagging", new JsonObject { ["Bucket"] = "there", ["Key"] = "copy/a" })).Objects("TagSet")).Text("Key"));
        await S3("DeleteObject", new JsonObject { ["Bucket"] = "here", ["Key"] = "copy/a" });
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal(leftAfterDeletion, await Keys("there"));
    }

    [Fact]
    public async Task A_role_that_may_not_a_cut_link_and_a_destination_that_is_not_there()
    {
        await Replicated("Enabled", "\"s3:GetObject*\"");
        await Put("here", "copy/a");
        Pass(TimeSpan.FromSeconds(20));
        Assert.Equal("FAILED", (await Head("here", "copy/a")).Text("ReplicationStatus"));
        await Call("iam", "AttachRolePolicy", """{"RoleName":"copier","PolicyArn":"arn:aws:iam::aws:policy/AmazonS3FullAccess"}""");
        Runtime.Links.Cut("us-east-1", "us-west-2");
        await Put("here", "copy/b");
        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal("PENDING", (await Head("here", "copy/b")).Text("ReplicationStatus"));
        Runtime.Links.Mend("us-east-1", "us-west-2");
        Assert.Equal("COMPLETED", (await Head("here", "copy/b")).Text("ReplicationStatus"));
        var refused = await Assert.ThrowsAsync<ServiceFault>(() => S3("PutBucketReplication", new JsonObject
        {
            ["Bucket"] = "here",
            ["ReplicationConfiguration"] = JsonNode.Parse("""{"Role":"arn:aws:iam::123456789012:role/copier","Rules":[{"Status":"Enabled","Prefix":"","Destination":{"Bucket":"arn:aws:s3:::nowhere"}}]}"""),
        }));
        Assert.Equal("Destination bucket must exist.", refused.Message);
    }

    [Fact]
    public async Task Queues_are_told_of_what_they_asked_for_once_their_policy_lets_S3_in()
    {
        await Bucket("data");
        await Call("sqs", "CreateQueue", """{"QueueName":"q"}""");
        const string Url = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
        JsonObject Configuration() => new()
        {
            ["Bucket"] = "data",
            ["NotificationConfiguration"] = JsonNode.Parse("""{"QueueConfigurations":[{"Id":"in","QueueArn":"arn:aws:sqs:us-east-1:123456789012:q","Events":["s3:ObjectCreated:*","s3:ObjectRemoved:Delete"],"Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"in/"},{"Name":"suffix","Value":".csv"}]}}}]}"""),
        };
        Assert.Equal("Unable to validate the following destination configurations", (await Assert.ThrowsAsync<ServiceFault>(() => S3("PutBucketNotificationConfiguration", Configuration()))).Message);
        var policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::data"}}}]}""";
        await Call("sqs", "SetQueueAttributes", new JsonObject { ["QueueUrl"] = Url, ["Attributes"] = new JsonObject { ["Policy"] = policy } }.ToJsonString());
        await S3("PutBucketNotificationConfiguration", Configuration());
        await Put("data", "in/a b.csv", "hello");
        await Put("data", "in/a.txt");
        await Put("data", "out/a.csv");
        await S3("DeleteObject", new JsonObject { ["Bucket"] = "data", ["Key"] = "in/a b.csv" });
        var bodies = new List<JsonObject>();
        for (var i = 0; i < 500 && bodies.Count < 3; i++)
        {
            Pass(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
            bodies.AddRange((await Call("sqs", "ReceiveMessage", new JsonObject { ["QueueUrl"] = Url, ["MaxNumberOfMessages"] = 10 }.ToJsonString())).Objects("Messages").Select(message => (JsonObject)JsonNode.Parse(message.Required("Body"))!));
        }
        Assert.Equal("s3:TestEvent", bodies[0].Text("Event"));
        var records = bodies.SelectMany(body => body.Objects("Records")).OrderBy(record => (string?)record["s3"]!["object"]!["sequencer"], StringComparer.Ordinal).ToList();
        Assert.Equal(["ObjectCreated:Put", "ObjectRemoved:Delete"], records.Select(record => record.Text("eventName")));
        Assert.Equal("in/a+b.csv", (string?)records[0]["s3"]!["object"]!["key"]);
        Assert.Equal(5, (int?)records[0]["s3"]!["object"]!["size"]);
        Assert.Equal("in", (string?)records[0]["s3"]!["configurationId"]);
    }

    [Fact]
    public async Task Access_control_lists_are_kept_where_the_bucket_allows_them()
    {
        await Bucket("closed");
        Assert.Equal("AccessControlListNotSupported", (await Assert.ThrowsAsync<ServiceFault>(() => S3("PutObject", new JsonObject { ["Bucket"] = "closed", ["Key"] = "a", ["ACL"] = "public-read" }))).Code);
        await S3("CreateBucket", new JsonObject { ["Bucket"] = "open", ["ObjectOwnership"] = "ObjectWriter" });
        Assert.Equal("AccessDenied", (await Assert.ThrowsAsync<ServiceFault>(() => S3("PutObject", new JsonObject { ["Bucket"] = "open", ["Key"] = "a", ["ACL"] = "public-read" }))).Code);
        await S3("DeletePublicAccessBlock", new JsonObject { ["Bucket"] = "open" });
        await S3("PutObject", new JsonObject { ["Bucket"] = "open", ["Key"] = "a", ["ACL"] = "public-read" });
        var grants = (await S3("GetObjectAcl", new JsonObject { ["Bucket"] = "open", ["Key"] = "a" })).Objects("Grants").ToList();
        Assert.Equal(["FULL_CONTROL", "READ"], grants.Select(grant => grant.Text("Permission")));
        await S3("PutObjectAcl", new JsonObject { ["Bucket"] = "open", ["Key"] = "a", ["ACL"] = "private" });
        Assert.Single((await S3("GetObjectAcl", new JsonObject { ["Bucket"] = "open", ["Key"] = "a" })).Objects("Grants"));
    }
}
