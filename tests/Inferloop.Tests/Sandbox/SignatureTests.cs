using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox;

public sealed class SignatureTests(SandboxFixture sandbox)
{
    private const string StsVersion = "2011-06-15";

    private SandboxClient Client => new(sandbox.Host);

    private SandboxClient WrongSecret => new(sandbox.Host, secret: "not-the-secret");

    private SandboxClient WrongKey => new(sandbox.Host, accessKeyId: "AKIAAAAAAAAAAAAAAAAA");

    [Fact]
    public async Task A_correct_signature_is_accepted_and_names_its_caller()
    {
        var answer = (await Client.QueryAsync("sts", StsVersion, "GetCallerIdentity")).EnsureSuccess();
        Assert.Equal(sandbox.Host.AccountId, answer.Value("Account"));
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_in_the_words_of_each_protocol()
    {
        var query = await WrongSecret.QueryAsync("sts", StsVersion, "GetCallerIdentity");
        Assert.Equal((403, "SignatureDoesNotMatch"), (query.Status, query.ErrorCode));
        Assert.StartsWith("The request signature we calculated does not match the signature you provided.", query.ErrorMessage, StringComparison.Ordinal);
        var json = await WrongSecret.JsonAsync("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}");
        Assert.Equal((400, "InvalidSignatureException"), (json.Status, json.ErrorCode));
        var rest = await WrongSecret.SendAsync("eks", HttpMethod.Get, "/clusters");
        Assert.Equal((403, "InvalidSignatureException"), (rest.Status, rest.ErrorCode));
        var s3 = await WrongSecret.SendAsync("s3", HttpMethod.Get, "/");
        Assert.Equal((403, "SignatureDoesNotMatch"), (s3.Status, s3.ErrorCode));
        var ec2 = await WrongSecret.QueryAsync("ec2", "2016-11-15", "DescribeVpcs");
        Assert.Equal((401, "AuthFailure"), (ec2.Status, ec2.ErrorCode));
    }

    [Fact]
    public async Task An_unknown_key_is_refused_in_the_words_of_each_protocol()
    {
        Assert.Equal("InvalidClientTokenId", (await WrongKey.QueryAsync("sts", StsVersion, "GetCallerIdentity")).ErrorCode);
        Assert.Equal("UnrecognizedClientException", (await WrongKey.JsonAsync("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}")).ErrorCode);
        Assert.Equal("InvalidAccessKeyId", (await WrongKey.SendAsync("s3", HttpMethod.Get, "/")).ErrorCode);
        Assert.Equal("AuthFailure", (await WrongKey.QueryAsync("ec2", "2016-11-15", "DescribeVpcs")).ErrorCode);
    }

    [Fact]
    public async Task A_request_without_a_signature_is_refused()
    {
        var s3 = await SandboxClient.SendAsync(new HttpRequestMessage(HttpMethod.Get, sandbox.Host.Endpoint + "some-bucket/key"));
        Assert.Equal((403, "AccessDenied"), (s3.Status, s3.ErrorCode));
        var json = new HttpRequestMessage(HttpMethod.Post, sandbox.Host.Endpoint) { Content = new StringContent("{}") };
        json.Headers.TryAddWithoutValidation("X-Amz-Target", "DynamoDB_20120810.ListTables");
        Assert.Equal("MissingAuthenticationTokenException", (await SandboxClient.SendAsync(json)).ErrorCode);
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task A_clock_that_is_off_is_refused(int minutes)
    {
        var client = new SandboxClient(sandbox.Host) { Time = DateTimeOffset.UtcNow.AddMinutes(minutes) };
        Assert.Equal("RequestTimeTooSkewed", (await client.SendAsync("s3", HttpMethod.Get, "/")).ErrorCode);
        var query = await client.QueryAsync("sts", StsVersion, "GetCallerIdentity");
        Assert.Equal("SignatureDoesNotMatch", query.ErrorCode);
        Assert.StartsWith(minutes < 0 ? "Signature expired: " : "Signature not yet current: ", query.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_changed_on_the_way_is_noticed()
    {
        var answer = await Client.SendAsync("sts", HttpMethod.Post, "/", "Action=GetCallerIdentity&Version=2011-06-15"u8.ToArray(),
            new Dictionary<string, string> { ["Content-Type"] = "application/x-www-form-urlencoded" },
            request => request.Content = new StringContent("Action=GetSessionToken&Version=2011-06-15", Encoding.ASCII, "application/x-www-form-urlencoded"));
        Assert.Equal("SignatureDoesNotMatch", answer.ErrorCode);
    }

    [Fact]
    public async Task A_region_that_does_not_exist_is_refused()
    {
        var answer = await new SandboxClient(sandbox.Host) { Region = "mars-north-1" }.QueryAsync("sts", StsVersion, "GetCallerIdentity");
        Assert.Equal(("SignatureDoesNotMatch", "Credential should be scoped to a valid region."), (answer.ErrorCode, answer.ErrorMessage));
    }

    [Fact]
    public async Task Session_credentials_need_their_token_and_expire()
    {
        var issued = (await Client.QueryAsync("sts", StsVersion, "GetSessionToken")).EnsureSuccess();
        var id = issued.Value("AccessKeyId")!;
        var secret = issued.Value("SecretAccessKey")!;
        (await new SandboxClient(sandbox.Host, id, secret) { Token = issued.Value("SessionToken") }.QueryAsync("sts", StsVersion, "GetCallerIdentity")).EnsureSuccess();
        Assert.Equal("InvalidClientTokenId", (await new SandboxClient(sandbox.Host, id, secret).QueryAsync("sts", StsVersion, "GetCallerIdentity")).ErrorCode);
        var expired = new AccessKey
        {
            Id = "ASIAEXPIREDEXPIRED00",
            Secret = "secret",
            AccountId = "123456789012",
            PrincipalArn = "arn:aws:iam::123456789012:user/expired",
            UserId = "AIDAEXPIRED",
            SessionToken = "token",
            Expiration = DateTimeOffset.UtcNow.AddMinutes(-1),
        };
        sandbox.Host.Runtime.AccessKeys.Add(expired);
        var client = new SandboxClient(sandbox.Host, expired.Id, expired.Secret) { Token = "token" };
        Assert.Equal("ExpiredToken", (await client.QueryAsync("sts", StsVersion, "GetCallerIdentity")).ErrorCode);
        Assert.Equal("ExpiredTokenException", (await client.JsonAsync("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}")).ErrorCode);
    }

    [Fact]
    public async Task An_assumed_role_calls_as_its_session_and_in_its_account()
    {
        var issued = (await Client.QueryAsync("sts", StsVersion, "AssumeRole", ("RoleArn", "arn:aws:iam::210987654321:role/deployer"), ("RoleSessionName", "release"))).EnsureSuccess();
        var client = new SandboxClient(sandbox.Host, issued.Value("AccessKeyId"), issued.Value("SecretAccessKey")) { Token = issued.Value("SessionToken") };
        var identity = (await client.QueryAsync("sts", StsVersion, "GetCallerIdentity")).EnsureSuccess();
        Assert.Equal("arn:aws:sts::210987654321:assumed-role/deployer/release", identity.Value("Arn"));
        Assert.Equal("210987654321", identity.Value("Account"));
    }

    [Fact]
    public async Task Secrets_reach_neither_the_log_nor_the_options()
    {
        await Client.QueryAsync("sts", StsVersion, "GetCallerIdentity");
        Assert.Null(sandbox.Host.Options.SecretAccessKey);
        Assert.DoesNotContain(sandbox.Host.Statistics.RecentRequests, request => request.ToString().Contains(sandbox.Host.SecretAccessKey, StringComparison.Ordinal));
        Assert.Equal(sandbox.Host.AccessKeyId, sandbox.Host.Runtime.AccessKeys.Root.ToString());
    }

    [Fact]
    public async Task Signed_chunks_are_verified_one_by_one()
    {
        var bucket = "chunks-" + Guid.NewGuid().ToString("N")[..12];
        (await Client.SendAsync("s3", HttpMethod.Put, "/" + bucket)).EnsureSuccess();
        (await PutChunksAsync(bucket, tamper: false)).EnsureSuccess();
        Assert.Equal("first chunk, second chunk", (await Client.SendAsync("s3", HttpMethod.Get, $"/{bucket}/object")).EnsureSuccess().Text);
        Assert.Equal("SignatureDoesNotMatch", (await PutChunksAsync(bucket, tamper: true)).ErrorCode);
    }

    private async Task<SandboxAnswer> PutChunksAsync(string bucket, bool tamper)
    {
        var client = Client;
        var time = DateTimeOffset.UtcNow;
        var fixedClient = new SandboxClient(sandbox.Host) { Time = time };
        var stamp = time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var parts = new[] { "first chunk, ", "second chunk", "" };
        return await fixedClient.SendAsync("s3", HttpMethod.Put, $"/{bucket}/object", null,
            new Dictionary<string, string> { ["X-Amz-Decoded-Content-Length"] = "25" },
            request =>
            {
                var authorization = request.Headers.GetValues("Authorization").Single();
                var previous = authorization[(authorization.IndexOf("Signature=", StringComparison.Ordinal) + 10)..];
                var empty = Convert.ToHexString(SHA256.HashData([])).ToLowerInvariant();
                var body = new StringBuilder();
                foreach (var part in parts)
                {
                    var hash = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(part))).ToLowerInvariant();
                    var toSign = $"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{stamp[..8]}/us-east-1/s3/aws4_request\n{previous}\n{empty}\n{hash}";
                    previous = Convert.ToHexString(HMACSHA256.HashData(client.SigningKey(stamp[..8], "s3"), Encoding.UTF8.GetBytes(toSign))).ToLowerInvariant();
                    body.Append(CultureInfo.InvariantCulture, $"{part.Length:x};chunk-signature={previous}\r\n").Append(tamper ? part.Replace("second", "SECOND", StringComparison.Ordinal) : part).Append("\r\n");
                }
                request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(body.ToString()));
            },
            hash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    }
}
