using System.Net;
using System.Net.Sockets;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Aws;

namespace Inferloop.Tests.Aws;

public sealed class AwsErrorsTests
{
    [Theory]
    [InlineData("ExpiredToken", 403, "The security token included in the request is expired", AwsFailureKind.ExpiredCredentials)]
    [InlineData("InvalidClientTokenId", 403, "The security token included in the request is invalid.", AwsFailureKind.NoCredentials)]
    [InlineData("SignatureDoesNotMatch", 403, "m", AwsFailureKind.NoCredentials)]
    [InlineData("AccessDenied", 403, "m", AwsFailureKind.AccessDenied)]
    [InlineData("AccessDeniedException", 400, "m", AwsFailureKind.AccessDenied)]
    [InlineData("UnauthorizedOperation", 403, "m", AwsFailureKind.AccessDenied)]
    [InlineData("Throttling", 400, "Rate exceeded", AwsFailureKind.Throttled)]
    [InlineData("TooManyRequestsException", 429, "m", AwsFailureKind.Throttled)]
    [InlineData("OptInRequired", 403, "m", AwsFailureKind.InvalidRegion)]
    [InlineData("ValidationError", 400, "Stack with id a does not exist", AwsFailureKind.NotFound)]
    [InlineData("ValidationError", 400, "No updates are to be performed.", AwsFailureKind.Validation)]
    [InlineData("AlreadyExistsException", 400, "Stack [a] already exists", AwsFailureKind.AlreadyExists)]
    [InlineData("BucketAlreadyOwnedByYou", 409, "m", AwsFailureKind.AlreadyExists)]
    [InlineData("LimitExceededException", 400, "m", AwsFailureKind.LimitExceeded)]
    [InlineData("NoSuchBucket", 404, "m", AwsFailureKind.NotFound)]
    [InlineData("ResourceNotFoundException", 400, "m", AwsFailureKind.NotFound)]
    [InlineData("OperationInProgressException", 409, "m", AwsFailureKind.Conflict)]
    [InlineData("ResourceInUseException", 400, "m", AwsFailureKind.Conflict)]
    [InlineData("InternalFailure", 500, "m", AwsFailureKind.ServiceFault)]
    [InlineData("SomethingNew", 400, "m", AwsFailureKind.Validation)]
    public void Codes_have_kinds_and_advice(string code, int status, string message, AwsFailureKind kind)
    {
        AwsFailure failure = AwsErrors.Describe(Error(code, status, message));
        Assert.Equal(kind, failure.Kind);
        Assert.Equal(code, failure.Code);
        Assert.Equal("CloudFormation", failure.Service);
        Assert.Equal("request-1", failure.RequestId);
        Assert.NotEmpty(failure.RecommendedAction);
    }

    [Theory]
    [InlineData("User: arn:aws:iam::123456789012:user/u is not authorized to perform: cloudformation:CreateStack on resource: arn:aws:cloudformation:us-east-1:123456789012:stack/a/* because no identity-based policy allows the cloudformation:CreateStack action", "cloudformation:CreateStack", "arn:aws:cloudformation:us-east-1:123456789012:stack/a/*")]
    [InlineData("User: u is not authorized to perform: ec2:DescribeVpcs because no identity-based policy allows it", "ec2:DescribeVpcs", null)]
    [InlineData("You are not authorized to perform this operation. Encoded authorization failure message: AbC_123-xyz", null, null)]
    public void A_missing_permission_is_named(string message, string? action, string? resource)
    {
        AwsFailure failure = AwsErrors.Describe(Error("AccessDenied", 403, message));
        Assert.Equal((action, resource), (failure.MissingAction, failure.Resource));
        Assert.DoesNotContain("AbC_123-xyz", failure.Message, StringComparison.Ordinal);
        if (action is not null)
        {
            Assert.Contains(action, failure.RecommendedAction, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI")]
    [InlineData("{\"SecretAccessKey\":\"wJalrXUtnFEMI\"}", "wJalrXUtnFEMI")]
    [InlineData("https://x/?X-Amz-Signature=0123456789abcdef0123&a=b", "0123456789abcdef0123")]
    [InlineData("Authorization: AWS4-HMAC-SHA256 Credential=AKID/x, Signature=0123456789abcdef0123456789", "0123456789abcdef0123456789")]
    [InlineData("X-Amz-Security-Token: IQoJb3JpZ2luX2VjEX", "IQoJb3JpZ2luX2VjEX")]
    [InlineData("the given one is hunter22hunter", "hunter22hunter")]
    public void Secrets_are_scrubbed(string message, string secret)
    {
        AwsFailure failure = AwsErrors.Describe(Error("X", 400, message), ["hunter22hunter"]);
        Assert.DoesNotContain(secret, failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("***", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_at_the_endpoint_is_said_with_the_endpoint()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1", EndpointUrl = $"http://127.0.0.1:{port}" });
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => session.Client<IAmazonCloudFormation>().DescribeStacksAsync(new DescribeStacksRequest(), TestContext.Current.CancellationToken));
        AwsFailure failure = session.Describe(error);
        Assert.Equal(AwsFailureKind.EndpointUnreachable, failure.Kind);
        Assert.Contains($"http://127.0.0.1:{port}", failure.Message, StringComparison.Ordinal);
        Assert.True(failure is { IsRetryable: true, Operation: "DescribeStacks", Service: "CloudFormation", Code: null });
    }

    [Fact]
    public async Task Cancellation_is_no_failure_of_AWS()
    {
        using AwsSession session = AwsSession.Create(new AwsConnectionOptions { AccessKey = "A", SecretKey = "s", Region = "us-east-1", EndpointUrl = "http://127.0.0.1:9" });
        Exception error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.Client<IAmazonCloudFormation>().DescribeStacksAsync(new DescribeStacksRequest(), new CancellationToken(true)));
        Assert.Equal(AwsFailureKind.Cancelled, AwsErrors.Describe(error).Kind);
    }

    private static AmazonCloudFormationException Error(string code, int status, string message) =>
        new(message, ErrorType.Sender, code, "request-1", (HttpStatusCode)status);
}
