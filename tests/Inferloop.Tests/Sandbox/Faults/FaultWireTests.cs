using System.Diagnostics;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Faults;

namespace Inferloop.Tests.Sandbox.Faults;

/// <summary>What a client sees of a fault.</summary>
public sealed class FaultWireTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600, Seed = 11 });

    private SandboxFaults Faults => sandbox.Host.Faults;

    private SandboxClient Client => new(sandbox.Host);

    public async ValueTask InitializeAsync() => await sandbox.InitializeAsync();

    public async ValueTask DisposeAsync() => await sandbox.DisposeAsync();

    private Task<SandboxAnswer> ListTables() => Client.SendAsync("dynamodb", HttpMethod.Post, "/", "{}"u8.ToArray(), new Dictionary<string, string> { ["X-Amz-Target"] = "DynamoDB_20120810.ListTables", ["Content-Type"] = "application/x-amz-json-1.0" });

    private Task<SandboxAnswer> Call(string service, string region = "us-east-1")
    {
        var client = new SandboxClient(sandbox.Host) { Region = region };
        return service switch
        {
            "s3" => client.SendAsync("s3", HttpMethod.Get, "/"),
            "ec2" => client.QueryAsync("ec2", "2016-11-15", "DescribeVpcs"),
            "cloudformation" => client.QueryAsync("cloudformation", "2010-05-15", "ListStacks"),
            "ecs" => client.JsonAsync("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}"),
            "lambda" => client.SendAsync("lambda", HttpMethod.Get, "/2015-03-31/functions"),
            "dynamodb" => ListTables(),
            _ => throw new ArgumentOutOfRangeException(nameof(service)),
        };
    }

    [Theory]
    [InlineData(SandboxFaultKind.Throttling, "s3", 503, "SlowDown")]
    [InlineData(SandboxFaultKind.Throttling, "ec2", 503, "RequestLimitExceeded")]
    [InlineData(SandboxFaultKind.Throttling, "cloudformation", 400, "Throttling")]
    [InlineData(SandboxFaultKind.Throttling, "ecs", 400, "ThrottlingException")]
    [InlineData(SandboxFaultKind.Throttling, "lambda", 429, "TooManyRequestsException")]
    [InlineData(SandboxFaultKind.ServerError, "s3", 500, "InternalError")]
    [InlineData(SandboxFaultKind.ServerError, "dynamodb", 500, "InternalServerError")]
    [InlineData(SandboxFaultKind.ServerError, "cloudformation", 500, "InternalFailure")]
    [InlineData(SandboxFaultKind.Unavailable, "ec2", 503, "Unavailable")]
    [InlineData(SandboxFaultKind.Unavailable, "ecs", 503, "ServiceUnavailableException")]
    [InlineData(SandboxFaultKind.AccessDenied, "ec2", 403, "UnauthorizedOperation")]
    [InlineData(SandboxFaultKind.AccessDenied, "ecs", 400, "AccessDeniedException")]
    [InlineData(SandboxFaultKind.AccessDenied, "cloudformation", 403, "AccessDenied")]
    [InlineData(SandboxFaultKind.AccessDenied, "s3", 403, "AccessDenied")]
    [InlineData(SandboxFaultKind.ExpiredCredentials, "s3", 400, "ExpiredToken")]
    [InlineData(SandboxFaultKind.ExpiredCredentials, "ecs", 400, "ExpiredTokenException")]
    [InlineData(SandboxFaultKind.ExpiredCredentials, "ec2", 400, "RequestExpired")]
    public async Task A_struck_call_is_answered_with_the_service_s_own_error(SandboxFaultKind kind, string service, int status, string code)
    {
        var fault = Faults.Add(new SandboxFaultRule { Kind = kind, Service = service, Count = 1 });
        var answer = await Call(service);
        Assert.Equal((status, code), (answer.Status, answer.ErrorCode));
        Assert.Equal(1, fault.Struck);
        Assert.Equal(fault.Id, sandbox.Host.Statistics.RecentRequests[^1].FaultId);
        (await Call(service)).EnsureSuccess();
        Assert.Empty(sandbox.Host.Statistics.InternalErrors);
    }

    [Fact]
    public async Task The_rule_may_say_code_and_message()
    {
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ServerError, Service = "ecs", ErrorCode = "ServerException", Message = "We are very busy." });
        var answer = await Call("ecs");
        Assert.Equal((500, "ServerException", "We are very busy."), (answer.Status, answer.ErrorCode, answer.ErrorMessage));
    }

    [Fact]
    public async Task A_call_whose_answer_is_lost_was_done_and_one_that_is_reset_was_not()
    {
        Task<SandboxAnswer> Create(string name) => Client.SendAsync("s3", HttpMethod.Put, "/" + name);
        // Without a count: the HTTP client itself sends a request again when a connection it had open turns out to be closed.
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ConnectionReset, Service = "s3", Operation = "CreateBucket", Resource = "reset" });
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.AnswerLost, Service = "s3", Operation = "CreateBucket", Resource = "lost-answer" });
        await Assert.ThrowsAsync<HttpRequestException>(() => Create("reset"));
        await Assert.ThrowsAsync<HttpRequestException>(() => Create("lost-answer"));
        Assert.Equal(["lost-answer"], (await Call("s3")).EnsureSuccess().All("Name").Select(name => name.Value));
        Assert.All(sandbox.Host.Statistics.RecentRequests.Take(2), request => Assert.Equal(0, request.Status));
    }

    [Fact]
    public async Task Latency_delays_an_answer_by_real_time()
    {
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Latency, Service = "ecs", Delay = TimeSpan.FromMilliseconds(400), Count = 1 });
        var watch = Stopwatch.StartNew();
        (await Call("ecs")).EnsureSuccess();
        Assert.InRange(watch.ElapsedMilliseconds, 390, 10_000);
    }

    [Fact]
    public async Task Calls_that_hang_do_not_keep_others_from_being_answered()
    {
        // More than the sandbox works on at the same time.
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Timeout, Service = "ecs", Delay = TimeSpan.FromMinutes(5) });
        using var impatient = new CancellationTokenSource();
        var hanging = Enumerable.Range(0, sandbox.Host.Options.MaximumConcurrentRequests + 20).Select(_ => HangAsync(impatient.Token)).ToList();
        await CloudFormationCaller.UntilAsync(() => Task.FromResult(sandbox.Host.Statistics.Requests), answered => answered >= hanging.Count);
        (await Call("s3")).EnsureSuccess();
        Assert.DoesNotContain(hanging, task => task.IsCompleted);
        await impatient.CancelAsync();
        await Task.WhenAll(hanging);
    }

    private async Task HangAsync(CancellationToken cancellation)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, sandbox.Host.Endpoint) { Content = new ByteArrayContent("{}"u8.ToArray()) };
        request.Headers.TryAddWithoutValidation("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/x-amz-json-1.1");
        Client.Sign(request, "ecs", "/", "{}"u8.ToArray());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => http.SendAsync(request, cancellation));
    }

    [Fact]
    public async Task A_call_that_hangs_ends_without_an_answer()
    {
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Timeout, Service = "ecs", Delay = TimeSpan.FromMilliseconds(300) });
        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAsync<HttpRequestException>(() => Call("ecs"));
        Assert.InRange(watch.ElapsedMilliseconds, 290, 10_000);
    }

    [Fact]
    public async Task A_lost_region_answers_nobody_and_the_others_go_on()
    {
        var loss = Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "us-west-2" });
        foreach (var service in new[] { "ecs", "ec2", "s3", "cloudformation" })
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => Call(service, "us-west-2"));
            (await Call(service)).EnsureSuccess();
        }
        Assert.InRange(loss.Struck, 4, int.MaxValue);
        Faults.Remove(loss.Id);
        (await Call("ecs", "us-west-2")).EnsureSuccess();
    }

    [Theory]
    [InlineData("AWS::S3::Bucket")]
    [InlineData("Second")]
    public async Task A_resource_that_fails_rolls_its_stack_back(string resource)
    {
        var caller = new CloudFormationCaller(sandbox);
        var fault = Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ResourceFailure, Operation = "Create", Resource = resource, Message = "The power is out", Count = 1 });
        var id = await caller.CreateAsync("rehearsal", """
            Resources:
              First: { Type: AWS::SQS::Queue }
              Second: { Type: AWS::S3::Bucket, DependsOn: First }
            """);
        Assert.Equal("ROLLBACK_COMPLETE", await caller.WaitAsync(id));
        var failure = Assert.Single(await caller.EventsAsync(id), item => item.Status == "CREATE_FAILED");
        Assert.Equal("Second", failure.LogicalId);
        Assert.Contains("The power is out (Service: S3, Status Code: 500", failure.Reason, StringComparison.Ordinal);
        Assert.Equal(1, fault.Struck);
    }

    [Fact]
    public async Task An_update_that_fails_is_rolled_back_and_a_deletion_that_fails_can_be_tried_again()
    {
        var caller = new CloudFormationCaller(sandbox);
        static string Template(int seconds) => $$"""{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"VisibilityTimeout":{{seconds}} } } } }""";
        var id = await caller.CreateAndWaitAsync("changing", Template(10));
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ResourceFailure, Operation = "Update", Resource = "Queue", Count = 1 });
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", await caller.UpdateAndWaitAsync("changing", Template(20)));
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ResourceFailure, Operation = "Delete", Resource = "AWS::SQS::*" });
        Assert.Equal("DELETE_FAILED", await caller.DeleteAndWaitAsync(id));
        Faults.Remove(Faults.All[^1].Id);
        Assert.Equal("DELETE_COMPLETE", await caller.DeleteAndWaitAsync(id));
    }

    [Fact]
    public async Task Boto3_retries_what_is_throttled_and_gives_up_on_what_is_denied()
    {
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Throttling, Service = "dynamodb", Operation = "ListTables", Count = 2 });
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Unavailable, Service = "s3", Count = 1 });
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.AccessDenied, Service = "ecs" });
        Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "eu-west-1" });
        await Boto.RunAsync(sandbox.Host, """
            import boto3
            from botocore.config import Config
            from botocore.exceptions import ClientError, ConnectionClosedError
            quick = Config(retries={'max_attempts': 4, 'mode': 'standard'})
            assert boto3.client('dynamodb', config=quick).list_tables()['ResponseMetadata']['RetryAttempts'] == 2
            assert boto3.client('s3', config=quick).list_buckets()['ResponseMetadata']['RetryAttempts'] == 1
            try:
                boto3.client('ecs', config=quick).list_clusters()
                raise SystemExit('was not denied')
            except ClientError as e:
                assert e.response['Error']['Code'] == 'AccessDeniedException', e
                assert 'ecs:ListClusters' in str(e), e
            try:
                boto3.client('ecs', region_name='eu-west-1', config=Config(retries={'max_attempts': 0})).list_clusters()
                raise SystemExit('was answered')
            except ConnectionClosedError:
                print('done')
            """);
    }
}
