using Amazon.CloudFormation.Model;
using Amazon.S3.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Imports;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Existing resources come under a stack's care without being touched, and what cannot is refused before anything is made.</summary>
public sealed class ResourceImportTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync();
        await harness.S3.PutBucketAsync(new PutBucketRequest { BucketName = "acme-reports" }, Stop);
        await harness.S3.PutObjectAsync(new PutObjectRequest { BucketName = "acme-reports", Key = "q1", ContentBody = "kept" }, Stop);
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_bucket_comes_into_a_new_stack_and_a_second_one_into_the_same_stack()
    {
        var ada = harness.Operator();
        var first = Assert.Single(await ImportAsync(ada, Bucket("Reports", "acme-reports"), ("Reports", "acme-reports")));
        Assert.Equal((ImportState.Imported, "acme-reports", "BucketName=acme-reports", DriftStatus.InSync), (first.State, first.PhysicalId, first.Identifier, first.Drift));
        Assert.Equal("IMPORT_COMPLETE", await StatusAsync("kept"));
        Assert.Contains(ada.Shown, p => p.Activity == "Importing into kept" && p.Completed);

        await harness.S3.PutBucketAsync(new PutBucketRequest { BucketName = "acme-invoices" }, Stop);
        var both = await ImportAsync(harness.Operator(), Bucket("Reports", "acme-reports") + Bucket("Invoices", "acme-invoices"), ("Reports", "acme-reports"), ("Invoices", "acme-invoices"));
        Assert.Equal([("Invoices", ImportState.Imported), ("Reports", ImportState.AlreadyThere)], both.Select(r => (r.LogicalId, r.State)));

        // The same once more finds all of it there.
        Assert.All(await ImportAsync(harness.Operator(), Bucket("Reports", "acme-reports") + Bucket("Invoices", "acme-invoices"), ("Reports", "acme-reports"), ("Invoices", "acme-invoices")), r => Assert.Equal(ImportState.AlreadyThere, r.State));
        using var content = await harness.S3.GetObjectAsync("acme-reports", "q1", Stop);
        Assert.Equal("kept", await new StreamReader(content.ResponseStream).ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task What_is_not_as_the_template_says_is_told_and_left_as_it_is()
    {
        var template = Bucket("Reports", "acme-reports").Replace("BucketName: acme-reports", "BucketName: acme-reports, VersioningConfiguration: { Status: Enabled }", StringComparison.Ordinal);
        var imported = Assert.Single(await ImportAsync(harness.Operator(), template, ("Reports", "acme-reports")));
        Assert.Equal(DriftStatus.Modified, imported.Drift);
        Assert.Contains(imported.Differences, d => d.Path.StartsWith("VersioningConfiguration", StringComparison.Ordinal));
        Assert.NotEqual("Enabled", (await harness.S3.GetBucketVersioningAsync(new GetBucketVersioningRequest { BucketName = "acme-reports" }, Stop)).VersioningConfig?.Status?.Value);
    }

    [Fact]
    public async Task A_preview_and_a_discarded_import_leave_nothing_behind()
    {
        await using (var prepared = await PrepareAsync(harness.Operator(), preview: true, Bucket("Reports", "acme-reports"), ("Reports", "acme-reports")))
        {
            var planned = Assert.Single(prepared.Planned());
            Assert.Equal((ImportState.Planned, "", "Reports"), (planned.State, planned.StackId, planned.LogicalId));
            Assert.Equal("REVIEW_IN_PROGRESS", await StatusAsync("kept"));
        }

        await NoStacksAsync();
    }

    [Fact]
    public async Task Parameters_and_identifiers_of_several_properties_are_given_by_name()
    {
        await using var prepared = await PrepareAsync(
            harness.Operator(), new ImportRequest
            {
                StackName = "kept",
                TemplateBody = "Parameters: { Name: { Type: String } }\nResources:\n  Reports:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    Properties: { BucketName: !Ref Name }\n",
                Resources = new Dictionary<string, ImportIdentifier> { ["Reports"] = ImportIdentifier.Of(new Dictionary<string, string> { ["bucketname"] = "acme-reports" }) },
                Parameters = new Dictionary<string, string> { ["Name"] = "acme-reports" },
            });
        Assert.Equal(DriftStatus.InSync, Assert.Single(await prepared.ExecuteAsync(Stop)).Drift);
    }

    [Theory]
    [InlineData("Report", "acme-reports", "Retain", "ImportResourceUnknown", "Did you mean 'Reports'?")]
    [InlineData("Reports", "acme-reports", null, "ImportNeedsDeletionPolicy", "Reports")]
    public async Task A_request_that_cannot_be_is_refused_before_anything_is_made(string id, string identifier, string? policy, string errorId, string says)
    {
        var failure = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(harness.Operator(), preview: false, Bucket("Reports", "acme-reports", policy), (id, identifier)));
        Assert.Equal(errorId, failure.ErrorId);
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        await NoStacksAsync();
    }

    [Fact]
    public async Task A_type_that_cannot_be_imported_and_a_wrong_identifier_are_named()
    {
        var type = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(
            harness.Operator(), preview: false, "  Handle:\n    Type: Custom::Thing\n    DeletionPolicy: Retain\n    Properties: { ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:thing' }\n" + Bucket("Reports", "acme-reports"), ("Handle", "x"), ("Reports", "acme-reports")));
        Assert.Equal("ImportTypeNotSupported", type.ErrorId);

        var wrong = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(harness.Operator(), new ImportRequest
        {
            StackName = "kept", TemplateBody = "Resources:\n" + Bucket("Reports", "acme-reports"),
            Resources = new Dictionary<string, ImportIdentifier> { ["Reports"] = ImportIdentifier.Of(new Dictionary<string, string> { ["Name"] = "acme-reports" }) },
        }));
        Assert.Equal("ImportIdentifierInvalid", wrong.ErrorId);
        Assert.Contains("-Resource @{ Reports = @{ BucketName = '...' } }", wrong.RecommendedAction, StringComparison.Ordinal);
        await NoStacksAsync();
    }

    [Fact]
    public async Task A_resource_of_another_stack_stays_there()
    {
        await ImportAsync(harness.Operator(), Bucket("Reports", "acme-reports"), ("Reports", "acme-reports"));
        var failure = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(harness.Operator(), new ImportRequest
        {
            StackName = "other", TemplateBody = "Resources:\n" + Bucket("Mine", "acme-reports"), Resources = new Dictionary<string, ImportIdentifier> { ["Mine"] = ImportIdentifier.Of("acme-reports") },
        }));
        Assert.Equal("ImportResourceOwned", failure.ErrorId);
        Assert.Contains("'Reports' of the stack 'kept'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stack_that_would_be_changed_too_is_refused_and_stays()
    {
        await ImportAsync(harness.Operator(), Bucket("Reports", "acme-reports"), ("Reports", "acme-reports"));
        await harness.S3.PutBucketAsync(new PutBucketRequest { BucketName = "acme-invoices" }, Stop);
        var failure = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(
            harness.Operator(), preview: false, Bucket("Reports", "acme-reports") + Bucket("New", "acme-new") + Bucket("Invoices", "acme-invoices"), ("Invoices", "acme-invoices")));
        Assert.Equal("ChangeSetFailed", failure.ErrorId);
        Assert.Contains("New", failure.Message, StringComparison.Ordinal);
        Assert.All((await harness.CloudFormation.ListChangeSetsAsync(new ListChangeSetsRequest { StackName = "kept" }, Stop)).Summaries, c => Assert.Equal("EXECUTE_COMPLETE", c.ExecutionStatus.Value));

        var output = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(
            harness.Operator(), preview: false, Bucket("Reports", "acme-reports") + Bucket("Invoices", "acme-invoices") + "Outputs: { Name: { Value: !Ref Invoices } }\n", ("Invoices", "acme-invoices")));
        Assert.Contains("you cannot modify or add [Outputs]", output.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_exist_fails_and_the_empty_stack_goes()
    {
        await using var prepared = await PrepareAsync(harness.Operator(), preview: false, Bucket("Reports", "acme-nowhere"), ("Reports", "acme-nowhere"));
        var failure = await Assert.ThrowsAsync<OperationException>(() => prepared.ExecuteAsync(Stop));
        Assert.Equal("ImportFailed", failure.ErrorId);
        Assert.Contains("acme-nowhere", failure.Message, StringComparison.Ordinal);
        await NoStacksAsync();
    }

    [Fact]
    public async Task An_environments_own_stack_takes_nothing_over()
    {
        await harness.Operator().CreateAsync(cancellation: Stop);
        var failure = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(harness.Operator(), new ImportRequest
        {
            StackName = EnvironmentHarness.Spec.StackName, TemplateBody = "Resources:\n" + Bucket("Reports", "acme-reports"),
            Resources = new Dictionary<string, ImportIdentifier> { ["Reports"] = ImportIdentifier.Of("acme-reports") },
        }));
        Assert.Equal("ImportIntoEnvironment", failure.ErrorId);
    }

    [Fact]
    public async Task A_stopped_import_goes_on_and_is_taken_up_by_the_next_call()
    {
        await using var slow = await EnvironmentHarness.StartAsync(clockRate: 5);
        await slow.S3.PutBucketAsync(new PutBucketRequest { BucketName = "acme-reports" }, Stop);
        using var ctrlC = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var ada = slow.Operator();
        await using (var prepared = await PrepareAsync(ada, preview: false, Bucket("Reports", "acme-reports"), ("Reports", "acme-reports")))
        {
            var running = prepared.ExecuteAsync(ctrlC.Token);
            while (!ada.Events.Exists(e => e.LogicalId == "Reports"))
            {
                await Task.Delay(10, Stop);
            }

            await ctrlC.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        Assert.Contains(ada.Warnings, w => w.Contains("goes on in AWS", StringComparison.Ordinal) && w.Contains("Import-InferloopResource", StringComparison.Ordinal));
        Assert.Equal(ImportState.AlreadyThere, Assert.Single(await ImportAsync(slow.Operator(), Bucket("Reports", "acme-reports"), ("Reports", "acme-reports"))).State);
    }

    [Fact]
    public async Task What_an_environment_left_comes_into_a_stack_of_its_own_with_its_data()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        var (bucket, table) = (environment.Outputs["BucketName"], environment.Outputs["TableName"]);
        await harness.S3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "input/kept", ContentBody = "kept" }, Stop);
        await harness.DynamoDB.PutItemAsync(table, new() { ["id"] = new("job"), ["timestamp"] = new() { N = "1" } }, Stop);
        var removed = await ada.RemoveAsync(cancellation: Stop);
        Assert.Contains(removed.Retained, r => r.PhysicalId == table);

        var request = await new RetainedTemplate(ada.Operations).RequestAsync("kept", removed.Retained, Stop);
        IReadOnlyList<InferloopImportedResource> imported;
        await using (var prepared = await PrepareAsync(ada, request))
        {
            imported = await prepared.ExecuteAsync(Stop);
        }

        Assert.Equal(removed.Retained.Count, imported.Count);
        Assert.All(imported, r => Assert.True(r is { State: ImportState.Imported, Drift: DriftStatus.InSync }, $"{r}: {r.Drift} {string.Join("; ", r.Differences)}"));
        using var content = await harness.S3.GetObjectAsync(bucket, "input/kept", Stop);
        Assert.Equal("kept", await new StreamReader(content.ResponseStream).ReadToEndAsync(Stop));
        Assert.Single((await harness.DynamoDB.ScanAsync(new Amazon.DynamoDBv2.Model.ScanRequest { TableName = table }, Stop)).Items);

        // The next environment of the name has stores of its own; what it leaves comes into the same stack.
        await ada.CreateAsync(cancellation: Stop);
        var again = await ada.RemoveAsync(cancellation: Stop);
        request = await new RetainedTemplate(ada.Operations).RequestAsync("kept", again.Retained, Stop);
        await using (var prepared = await PrepareAsync(ada, request))
        {
            Assert.All(await prepared.ExecuteAsync(Stop), r => Assert.Equal((ImportState.Imported, DriftStatus.InSync), (r.State, r.Drift)));
        }

        // The stack goes, and what it watched over stays.
        await harness.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = "kept" }, Stop);
        while (await ada.Operations.FindStackAsync("kept", Stop) is not null)
        {
            await Task.Delay(10, Stop);
        }

        Assert.Contains(table, (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames);
    }

    [Fact]
    public async Task Tables_of_every_kind_and_repositories_are_described_as_they_are()
    {
        await TableAsync("plain", provisioned: true);
        await TableAsync("global", provisioned: false);
        await TableAsync("scaled", provisioned: true);
        await harness.DynamoDB.UpdateTableAsync(new() { TableName = "global", ReplicaUpdates = [new() { Create = new() { RegionName = "us-west-2" } }] }, Stop);
        await ActiveAsync("global", t => t.Replicas is { Count: > 0 } replicas && replicas.TrueForAll(r => r.ReplicaStatus?.Value == "ACTIVE"));
        await harness.Aws.Client<Amazon.ECR.IAmazonECR>().CreateRepositoryAsync(new() { RepositoryName = "images", ImageTagMutability = Amazon.ECR.ImageTagMutability.IMMUTABLE, ImageScanningConfiguration = new() { ScanOnPush = true } }, Stop);

        var ada = harness.Operator();
        var request = await new RetainedTemplate(ada.Operations).RequestAsync(
            "kept",
            [
                new("Storage/Table", "AWS::DynamoDB::Table", "plain"), new("Storage/GlobalJobsTable", "AWS::DynamoDB::GlobalTable", "global"),
                new("Other/GlobalJobsTable", "AWS::DynamoDB::GlobalTable", "scaled"), new("Pipeline/Repository", "AWS::ECR::Repository", "images"),
            ], Stop);
        Assert.Contains(ada.Warnings, w => w.StartsWith("scaled (AWS::DynamoDB::GlobalTable) is left out", StringComparison.Ordinal));
        await using var prepared = await PrepareAsync(ada, request);
        var imported = await prepared.ExecuteAsync(Stop);
        Assert.Equal(["PipelineRepository", "StorageGlobalJobsTable", "StorageTable"], imported.Select(r => r.LogicalId));
        Assert.All(imported, r => Assert.True(r.Drift == DriftStatus.InSync, $"{r}: {r.Drift} {string.Join("; ", r.Differences)}"));

        // What is described is watched over.
        await harness.DynamoDB.UpdateTableAsync(new() { TableName = "plain", ProvisionedThroughput = new() { ReadCapacityUnits = 9, WriteCapacityUnits = 3 } }, Stop);
        await ActiveAsync("plain", t => t.ProvisionedThroughput.ReadCapacityUnits == 9);
        var plain = (await ImportAgainAsync(ada, request)).Single(r => r.LogicalId == "StorageTable");
        Assert.Equal((ImportState.AlreadyThere, DriftStatus.Modified), (plain.State, plain.Drift));
        Assert.Equal(new InferloopDriftProperty("ProvisionedThroughput.ReadCapacityUnits", "4", "9", DriftDifference.NotEqual), Assert.Single(plain.Differences));
    }

    [Fact]
    public async Task A_stack_of_another_author_is_not_extended_without_a_template()
    {
        await ImportAsync(harness.Operator(), Bucket("Reports", "acme-reports"), ("Reports", "acme-reports"));
        var ada = harness.Operator();
        var foreign = await Assert.ThrowsAsync<OperationException>(() => new RetainedTemplate(ada.Operations).RequestAsync("kept", [new("Storage/DataBucket", "AWS::S3::Bucket", "acme-reports")], Stop));
        Assert.Equal("RetainedStackForeign", foreign.ErrorId);
        var none = await Assert.ThrowsAsync<OperationException>(() => new RetainedTemplate(ada.Operations).RequestAsync("new", [new("Files", "AWS::EFS::FileSystem", "fs-1")], Stop));
        Assert.Equal("RetainedNothing", none.ErrorId);
        Assert.Contains(ada.Warnings, w => w.StartsWith("fs-1 (AWS::EFS::FileSystem) is left out", StringComparison.Ordinal));
    }

    private async Task TableAsync(string name, bool provisioned)
    {
        await harness.DynamoDB.CreateTableAsync(
            new()
            {
                TableName = name,
                AttributeDefinitions = [new("id", "S"), new("at", "N")],
                KeySchema = [new("id", "HASH"), new("at", "RANGE")],
                BillingMode = provisioned ? "PROVISIONED" : "PAY_PER_REQUEST",
                ProvisionedThroughput = provisioned ? new() { ReadCapacityUnits = 4, WriteCapacityUnits = 3 } : null,
                LocalSecondaryIndexes = provisioned
                    ? [new() { IndexName = "local", KeySchema = [new("id", "HASH"), new("at", "RANGE")], Projection = new() { ProjectionType = "INCLUDE", NonKeyAttributes = ["size"] } }]
                    : null,
                StreamSpecification = new() { StreamEnabled = true, StreamViewType = "NEW_AND_OLD_IMAGES" },
            }, Stop);
        await ActiveAsync(name, _ => true);
    }

    private async Task ActiveAsync(string table, Func<Amazon.DynamoDBv2.Model.TableDescription, bool> ready)
    {
        while ((await harness.DynamoDB.DescribeTableAsync(table, Stop)).Table is var described && (described.TableStatus.Value != "ACTIVE" || !ready(described)))
        {
            await Task.Delay(10, Stop);
        }
    }

    private static async Task<IReadOnlyList<InferloopImportedResource>> ImportAgainAsync(Operator one, ImportRequest request)
    {
        await using var prepared = await PrepareAsync(one, request);
        Assert.True(prepared.Empty);
        return await prepared.ReadAsync(Stop);
    }

    private static string Bucket(string id, string name, string? policy = "Retain") =>
        $"  {id}:\n    Type: AWS::S3::Bucket\n{(policy is null ? "" : $"    DeletionPolicy: {policy}\n")}    Properties: {{ BucketName: {name} }}\n";

    private static Task<PreparedImport> PrepareAsync(Operator one, bool preview, string resources, params (string Id, string Value)[] identifiers) => PrepareAsync(
        one, new ImportRequest { StackName = "kept", TemplateBody = "Resources:\n" + resources, Resources = identifiers.ToDictionary(i => i.Id, i => ImportIdentifier.Of(i.Value)) }, preview);

    private static Task<PreparedImport> PrepareAsync(Operator one, ImportRequest request, bool preview = false) => new ResourceImport(one.Operations).PrepareAsync(request, preview, Stop);

    private static async Task<IReadOnlyList<InferloopImportedResource>> ImportAsync(Operator one, string resources, params (string Id, string Value)[] identifiers)
    {
        await using var prepared = await PrepareAsync(one, preview: false, resources, identifiers);
        return prepared.Empty ? await prepared.ReadAsync(Stop) : await prepared.ExecuteAsync(Stop);
    }

    private async Task<string> StatusAsync(string stack) =>
        (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = stack }, Stop)).Stacks.Single().StackStatus.Value;

    private async Task NoStacksAsync()
    {
        // A deletion takes a moment of the sandbox's time.
        while ((await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks is { Count: > 0 } left)
        {
            Assert.All(left, s => Assert.Contains(s.StackStatus.Value, new[] { "DELETE_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE" }));
            await Task.Delay(20, Stop);
        }
    }
}
