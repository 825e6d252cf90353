using Amazon.S3.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Imports;
using Inferloop.Sandbox.CloudFormation;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>A stack with an imported bucket, which the tests put into each of CloudFormation's states.</summary>
public sealed class ImportedStackFixture : IAsyncLifetime
{
    internal EnvironmentHarness Harness { get; private set; } = null!;

    internal ImportRequest Request { get; } = new()
    {
        StackName = "kept",
        TemplateBody = "Resources: { Reports: { Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: { BucketName: acme-reports } } }",
        Resources = new Dictionary<string, ImportIdentifier> { ["Reports"] = ImportIdentifier.Of("acme-reports") },
    };

    public async ValueTask InitializeAsync()
    {
        Harness = await EnvironmentHarness.StartAsync();
        await Harness.S3.PutBucketAsync(new PutBucketRequest { BucketName = "acme-reports" }, TestContext.Current.CancellationToken);
        await using var prepared = await new ResourceImport(Harness.Operator().Operations).PrepareAsync(Request, preview: false, TestContext.Current.CancellationToken);
        await prepared.ExecuteAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => Harness.DisposeAsync();

    internal void Force(string status)
    {
        var engine = ((CloudFormationService)Harness.Host.Runtime.Service("cloudformation")!).Engine;
        engine.SetStatus(engine.Store(Harness.Host.AccountId, "us-east-1").Find("kept")!, status, "forced by a test");
    }
}

/// <summary>Import-InferloopResource in every state of the stack: goes on, follows, or refuses with the way out.</summary>
public sealed class ResourceImportStateTests(ImportedStackFixture fixture) : IClassFixture<ImportedStackFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> States() => [.. StateRules.States];

    [Theory]
    [MemberData(nameof(States))]
    public async Task It_goes_on_follows_or_says_what_to_do(string state)
    {
        fixture.Force(state);
        try
        {
            var ada = fixture.Harness.Operator();
            var preparing = new ResourceImport(ada.Operations).PrepareAsync(fixture.Request, preview: true, Stop);
            if (state is "IMPORT_IN_PROGRESS" or "IMPORT_ROLLBACK_IN_PROGRESS")
            {
                // It waits for the import that is under way, and for nothing else.
                await Task.WhenAny(preparing, UntilAsync(() => ada.Events.Exists(e => e.Status == state)));
                Assert.False(preparing.IsCompleted);
                fixture.Force("IMPORT_COMPLETE");
            }

            if (state == "DELETE_COMPLETE")
            {
                // There is no such stack; that the bucket is still on the forced one's books is another matter.
                Assert.Equal("ImportResourceOwned", (await Assert.ThrowsAsync<OperationException>(() => preparing)).ErrorId);
            }
            else if (StackStates.IsUpdatable(state) || state is "REVIEW_IN_PROGRESS" or "IMPORT_IN_PROGRESS" or "IMPORT_ROLLBACK_IN_PROGRESS")
            {
                await using var prepared = await preparing;
                Assert.Equal(ImportState.AlreadyThere, Assert.Single(prepared.Planned()).State);
            }
            else
            {
                var refusal = await Assert.ThrowsAsync<OperationException>(() => preparing);
                Assert.Equal(state.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) ? ("ImportStackBusy", OperationErrorKind.Busy) : ("ImportStackState", OperationErrorKind.InvalidState), (refusal.ErrorId, refusal.Kind));
                Assert.Contains(state, refusal.Message, StringComparison.Ordinal);
                Assert.Contains("Import-InferloopResource", refusal.RecommendedAction, StringComparison.Ordinal);
            }
        }
        finally
        {
            fixture.Force("IMPORT_COMPLETE");
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, Stop);
        }
    }
}
