using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.CloudFormation;

namespace Inferloop.Tests.Sandbox;

/// <summary>Drift detections that cannot look at everything. A sandbox of its own: it is broken on purpose.</summary>
public sealed class DriftDetectionTests
{
    [Fact]
    public async Task A_resource_that_cannot_be_read_fails_the_detection_with_its_reason_and_the_others_are_looked_at()
    {
        var sandbox = new SandboxFixture(new SandboxOptions { ClockRate = 3600 });
        await sandbox.InitializeAsync();
        await using var _ = sandbox;
        var images = new UnreadableProvider(sandbox.Host.Runtime.Provider("AWS::ECR::Repository")!);
        sandbox.Host.Runtime.Substitute(images);
        var cloudFormation = new CloudFormationCaller(sandbox);
        var name = CloudFormationCaller.NewName("unreadable");
        await cloudFormation.CreateAndWaitAsync(name, """
            Resources:
              Bucket: { Type: AWS::S3::Bucket }
              Images: { Type: AWS::ECR::Repository, Properties: { ImageScanningConfiguration: { ScanOnPush: true } } }
            """);
        Assert.Equal("DETECTION_COMPLETE", (await DetectAsync(cloudFormation, name)).Value("DetectionStatus"));
        Assert.Equal(["Bucket", "Images"], (await DriftsAsync(cloudFormation, name)).All("LogicalResourceId").Select(item => item.Value));

        images.Problem = new InvalidOperationException("the handler stumbled");
        var failed = await DetectAsync(cloudFormation, name);
        Assert.Equal(("DETECTION_FAILED", "UNKNOWN"), (failed.Value("DetectionStatus"), failed.Value("StackDriftStatus")));
        Assert.Equal("Failed to detect drift on resource [Images]: the handler stumbled", failed.Value("DetectionStatusReason"));
        Assert.Same(images.Problem, Assert.Single(sandbox.Host.Statistics.InternalErrors));
        Assert.Equal(["Bucket"], (await DriftsAsync(cloudFormation, name)).All("LogicalResourceId").Select(item => item.Value));

        // A failed detection has ended: the next one is not refused as already in progress.
        images.Problem = null;
        var mended = await DetectAsync(cloudFormation, name);
        Assert.Equal(("DETECTION_COMPLETE", "IN_SYNC"), (mended.Value("DetectionStatus"), mended.Value("StackDriftStatus")));
        Assert.Null(mended.Value("DetectionStatusReason"));
    }

    private static async Task<SandboxAnswer> DriftsAsync(CloudFormationCaller cloudFormation, string name) =>
        (await cloudFormation.CallAsync("DescribeStackResourceDrifts", ("StackName", name))).EnsureSuccess();

    private static async Task<SandboxAnswer> DetectAsync(CloudFormationCaller cloudFormation, string name)
    {
        var id = (await cloudFormation.CallAsync("DetectStackDrift", ("StackName", name))).EnsureSuccess().Value("StackDriftDetectionId")!;
        return await CloudFormationCaller.UntilAsync(
            async () => (await cloudFormation.CallAsync("DescribeStackDriftDetectionStatus", ("StackDriftDetectionId", id))).EnsureSuccess(),
            answer => answer.Value("DetectionStatus") != "DETECTION_IN_PROGRESS");
    }

    private sealed class UnreadableProvider(ResourceProvider inner) : ResourceProvider
    {
        public Exception? Problem { get; set; }

        public override string Type => inner.Type;

        public override Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties) => inner.CreateAsync(context, properties);

        public override Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after) => inner.UpdateAsync(context, physicalId, before, after);

        public override Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties) => inner.DeleteAsync(context, physicalId, properties);

        public override Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId) => Problem is null ? inner.ReadAsync(context, physicalId) : throw Problem;
    }
}
