using System.Diagnostics;
using System.Net;
using System.Text;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using Inferloop.Aws;
using Inferloop.Tests.Aws.Fidelity;

namespace Inferloop.Tests.Aws;

/// <summary>Where credentials, region and endpoint come from, seen in what is signed and sent.</summary>
[Collection(nameof(AwsEnvironment))]
public sealed class AwsSessionTests
{
    private const string EmptyStacks = "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeStacksResponse>";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Given_keys_come_first()
    {
        using AwsEnvironment environment = new(("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-north-1"));
        RecordedRequest request = await SendAsync(new AwsConnectionOptions { AccessKey = "AKIDGIVEN", SecretKey = "s", SessionToken = "token-token", Region = "eu-west-1" });
        Assert.Contains("Credential=AKIDGIVEN/", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Contains("/eu-west-1/cloudformation/aws4_request", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Equal("token-token", request.Headers["X-Amz-Security-Token"]);
        Assert.Equal("cloudformation.eu-west-1.amazonaws.com", request.Uri.Host);
    }

    [Fact]
    public async Task A_source_is_asked_for_keys()
    {
        using AwsEnvironment environment = new();
        RecordedRequest request = await SendAsync(new AwsConnectionOptions { CredentialSource = new FixedSource(), Region = "us-west-2" });
        Assert.Contains("Credential=AKIDSOURCE/", request.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_named_profile_gives_keys_and_region()
    {
        using AwsEnvironment environment = new(("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-north-1"));
        await File.WriteAllTextAsync(environment.CredentialsFile, "[prod]\naws_access_key_id=AKIDPROD\naws_secret_access_key=s\nregion=ap-southeast-2\n", Token);
        RecordedRequest request = await SendAsync(new AwsConnectionOptions { ProfileName = "prod", ProfileLocation = environment.CredentialsFile });
        Assert.Contains("Credential=AKIDPROD/", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Equal("cloudformation.ap-southeast-2.amazonaws.com", request.Uri.Host);
    }

    [Fact]
    public async Task A_profile_can_run_a_credential_process()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "/bin/echo: the credential process of this test");
        using AwsEnvironment environment = new();
        string answer = "{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKIDPROCESS\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}";
        await File.WriteAllTextAsync(environment.CredentialsFile, $"[tool]\ncredential_process=/bin/echo \"{answer}\"\nregion=eu-west-3\n", Token);
        RecordedRequest request = await SendAsync(new AwsConnectionOptions { ProfileName = "tool", ProfileLocation = environment.CredentialsFile });
        Assert.Contains("Credential=AKIDPROCESS/", request.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_more_the_environment_gives_keys_and_region()
    {
        using AwsEnvironment environment = new(("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_DEFAULT_REGION", "eu-north-1"));
        RecordedRequest request = await SendAsync(new AwsConnectionOptions());
        Assert.Contains("Credential=AKIDENV/", request.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Equal("cloudformation.eu-north-1.amazonaws.com", request.Uri.Host);
    }

    [Fact]
    public void An_unknown_profile_is_named_with_the_known_ones()
    {
        using AwsEnvironment environment = new();
        File.WriteAllText(environment.CredentialsFile, "[prod]\naws_access_key_id=A\naws_secret_access_key=s\n");
        AwsConnectionException error = Assert.Throws<AwsConnectionException>(() => AwsSession.Create(new AwsConnectionOptions { ProfileName = "prd", ProfileLocation = environment.CredentialsFile, Region = "us-east-1" }));
        Assert.Equal(AwsFailureKind.NoCredentials, error.Kind);
        Assert.Contains("'prd'", error.Message, StringComparison.Ordinal);
        Assert.Contains("prod", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_a_key_pair_is_refused()
    {
        AwsConnectionException error = Assert.Throws<AwsConnectionException>(() => AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", Region = "us-east-1" }));
        Assert.Equal(AwsFailureKind.NoCredentials, error.Kind);
    }

    [Fact]
    public async Task No_region_is_said_at_once()
    {
        using AwsEnvironment environment = new();
        AwsConnectionException error = await Assert.ThrowsAsync<AwsConnectionException>(() => AwsSession.CreateAsync(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", ProfileLocation = environment.CredentialsFile }, Token));
        Assert.Equal(AwsFailureKind.InvalidRegion, error.Kind);
    }

    [Theory]
    [InlineData("Frankfurt")]
    [InlineData("us-east")]
    [InlineData("us_east_1")]
    public void A_region_that_is_none_is_refused(string region)
    {
        AwsConnectionException error = Assert.Throws<AwsConnectionException>(() => AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = region }));
        Assert.Equal(AwsFailureKind.InvalidRegion, error.Kind);
    }

    [Fact]
    public async Task Without_credentials_the_first_call_says_so_and_does_not_hang()
    {
        using AwsEnvironment environment = new();
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { Region = "us-east-1", ProfileLocation = environment.CredentialsFile, HttpClientFactory = Answering(EmptyStacks) });
        long started = Stopwatch.GetTimestamp();
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => session.Client<IAmazonCloudFormation>().DescribeStacksAsync(new DescribeStacksRequest(), Token));
        Assert.Equal(AwsFailureKind.NoCredentials, session.Describe(error).Kind);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_given_endpoint_serves_every_service_and_S3_by_path()
    {
        using AwsEnvironment environment = new();
        WireRecorder recorder = Answering("<ListBucketResult/>");
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", EndpointUrl = "http://127.0.0.1:4566", HttpClientFactory = recorder });
        await session.Client<IAmazonS3>().ListObjectsV2Async(new ListObjectsV2Request { BucketName = "artifacts" }, Token);
        Assert.Equal("http://127.0.0.1:4566/artifacts", recorder.Requests[0].Uri.GetLeftPart(UriPartial.Path).TrimEnd('/'));
        Assert.Equal("us-east-1", session.Region);
        Assert.Equal("access key A, us-east-1, http://127.0.0.1:4566", session.Description);
    }

    [Fact]
    public async Task AWS_ENDPOINT_URL_works_for_all_and_for_one()
    {
        using AwsEnvironment environment = new(("AWS_ENDPOINT_URL", "http://127.0.0.1:1111"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:2222"));
        WireRecorder recorder = new();
        recorder.Answer = r => new RecordedAnswer(HttpStatusCode.OK, "text/xml", Encoding.UTF8.GetBytes(r.Uri.Port == 1111 ? EmptyStacks : "{}"));
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "eu-west-1", HttpClientFactory = recorder });
        await session.Client<IAmazonCloudFormation>().DescribeStacksAsync(new DescribeStacksRequest(), Token);
        await session.Client<IAmazonSecretsManager>().GetSecretValueAsync(new GetSecretValueRequest { SecretId = "x" }, Token);
        Assert.Equal([1111, 2222], recorder.Requests.Select(r => r.Uri.Port));
        Assert.Contains("/eu-west-1/secretsmanager/", recorder.Requests[1].Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public void Clients_are_made_once_a_region()
    {
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1" });
        IAmazonCloudFormation[] clients = new IAmazonCloudFormation[64];
        Parallel.For(0, clients.Length, i => clients[i] = session.Client<IAmazonCloudFormation>());
        Assert.Single(clients.Distinct());
        Assert.NotSame(clients[0], session.Client<IAmazonCloudFormation>("us-west-2"));
        Assert.Equal("us-west-2", session.Client<IAmazonCloudFormation>("us-west-2").Config.RegionEndpoint.SystemName);
        Assert.Same(session, session.InRegion("us-east-1"));
        Assert.Equal("aws-cn", session.InRegion("cn-north-1").Partition);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Client<IAmazonCloudFormation>());
    }

    [Fact]
    public async Task The_caller_is_asked_for_once()
    {
        using AwsEnvironment environment = new();
        WireRecorder recorder = Answering("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>AID</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1", HttpClientFactory = recorder });
        CallerIdentity first = await session.GetCallerIdentityAsync(Token);
        CallerIdentity second = await session.InRegion("us-west-2").GetCallerIdentityAsync(Token);
        Assert.Equal("123456789012", first.Account);
        Assert.Equal(first, second);
        Assert.Single(recorder.Requests);
    }

    [Fact]
    public async Task Standard_retries_that_the_environment_can_change()
    {
        using AwsEnvironment environment = new();
        WireRecorder recorder = new() { Answer = _ => new RecordedAnswer(HttpStatusCode.ServiceUnavailable, "text/xml", Encoding.UTF8.GetBytes("<ErrorResponse><Error><Code>ServiceUnavailable</Code><Message>m</Message></Error></ErrorResponse>")) };
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1", HttpClientFactory = recorder });
        IAmazonCloudFormation client = session.Client<IAmazonCloudFormation>();
        Assert.Equal(Amazon.Runtime.RequestRetryMode.Standard, client.Config.RetryMode);
        Assert.False(((Amazon.Runtime.ClientConfig)client.Config).IsMaxErrorRetrySet);
        AmazonCloudFormationException error = await Assert.ThrowsAsync<AmazonCloudFormationException>(() => client.DescribeStacksAsync(new DescribeStacksRequest(), Token));
        Assert.Equal(3, recorder.Requests.Count);
        Assert.True(session.Describe(error) is { Kind: AwsFailureKind.ServiceFault, IsRetryable: true, Operation: "DescribeStacks", Service: "CloudFormation" });
    }

    private static WireRecorder Answering(string body) => new() { Answer = _ => new RecordedAnswer(HttpStatusCode.OK, "text/xml", Encoding.UTF8.GetBytes(body)) };

    private static async Task<RecordedRequest> SendAsync(AwsConnectionOptions options)
    {
        WireRecorder recorder = Answering(EmptyStacks);
        using AwsSession session = AwsSession.Create(options with { HttpClientFactory = recorder });
        await session.Client<IAmazonCloudFormation>().DescribeStacksAsync(new DescribeStacksRequest(), Token);
        return Assert.Single(recorder.Requests);
    }

    private sealed class FixedSource : IAwsCredentialSource
    {
        public string Description => "fixed keys";

        public ValueTask<AwsKeys> GetKeysAsync(CancellationToken cancellationToken) => new(new AwsKeys("AKIDSOURCE", "s"));
    }
}
