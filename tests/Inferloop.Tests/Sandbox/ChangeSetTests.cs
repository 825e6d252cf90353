using System.Text;
using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox;

public sealed class ChangeSetTests(SandboxFixture sandbox)
{
    private readonly CloudFormationCaller cloudFormation = new(sandbox);
    private readonly SandboxClient client = new(sandbox.Host);

    private const string One = "Resources: { A: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: k, Value: one } ] } }, B: { Type: AWS::S3::Bucket } }";

    [Fact]
    public async Task A_change_set_that_creates_shows_additions_and_executes()
    {
        var name = CloudFormationCaller.NewName("review");
        var described = await cloudFormation.ChangeSetAsync(name, "first", One, "CREATE");
        Assert.Equal("REVIEW_IN_PROGRESS", await cloudFormation.StatusAsync(name));
        Assert.Equal("CREATE_COMPLETE", described.Value("Status"));
        Assert.Equal(["Add", "Add"], described.All("Action").Select(item => item.Value));
        Assert.Contains(described.All("AfterContext"), item => JsonNode.Parse(item.Value)?["Properties"]?["Tags"]?[0]?["Value"]?.ToString() == "one");
        (await cloudFormation.CallAsync("ExecuteChangeSet", ("StackName", name), ("ChangeSetName", "first"))).EnsureSuccess();
        Assert.Equal("CREATE_COMPLETE", await cloudFormation.WaitAsync(name));
        await CloudFormationCaller.UntilAsync(async () => (await cloudFormation.CallAsync("DescribeChangeSet", ("StackName", name), ("ChangeSetName", "first"))).Value("ExecutionStatus"), status => status == "EXECUTE_COMPLETE");
        var again = await cloudFormation.CallAsync("ExecuteChangeSet", ("StackName", name), ("ChangeSetName", "first"));
        Assert.Equal("InvalidChangeSetStatus", again.ErrorCode);
    }

    [Fact]
    public async Task A_change_set_that_updates_shows_every_property_and_what_it_does()
    {
        var name = CloudFormationCaller.NewName("details");
        await cloudFormation.CreateAndWaitAsync(name, One);
        var described = await cloudFormation.ChangeSetAsync(name, "second", """
            Resources:
              A: { Type: AWS::S3::Bucket, Properties: { BucketName: details-of-a-change, Tags: [ { Key: k, Value: one } ] } }
              P:
                Type: AWS::S3::BucketPolicy
                Properties:
                  Bucket: !Ref A
                  PolicyDocument: { Statement: [ { Effect: Deny, Principal: "*", Action: "s3:*", Resource: !GetAtt A.Arn, Condition: { Bool: { "aws:SecureTransport": false } } } ] }
            """, "UPDATE");
        var changes = described.All("ResourceChange").ToDictionary(change => CloudFormationCaller.Of(change, "LogicalResourceId")!);
        Assert.Equal(("Modify", "True", "ReplaceAndDelete"), (CloudFormationCaller.Of(changes["A"], "Action"), CloudFormationCaller.Of(changes["A"], "Replacement"), CloudFormationCaller.Of(changes["A"], "PolicyAction")));
        var target = changes["A"].Descendants().Single(element => element.Name.LocalName == "Target");
        Assert.Equal(("Properties", "BucketName", "Always", "/Properties/BucketName", "details-of-a-change", "Add"), (
            CloudFormationCaller.Of(target, "Attribute"), CloudFormationCaller.Of(target, "Name"), CloudFormationCaller.Of(target, "RequiresRecreation"),
            CloudFormationCaller.Of(target, "Path"), CloudFormationCaller.Of(target, "AfterValue"), CloudFormationCaller.Of(target, "AttributeChangeType")));
        Assert.Equal(("Remove", "Delete"), (CloudFormationCaller.Of(changes["B"], "Action"), CloudFormationCaller.Of(changes["B"], "PolicyAction")));
        Assert.Equal("Add", CloudFormationCaller.Of(changes["P"], "Action"));
        Assert.Contains("{{changeSet:KNOWN_AFTER_APPLY}}", CloudFormationCaller.Of(changes["P"], "AfterContext"), StringComparison.Ordinal);
        var plain = (await cloudFormation.CallAsync("DescribeChangeSet", ("StackName", name), ("ChangeSetName", "second"))).EnsureSuccess();
        Assert.Empty(plain.All("AfterContext"));
        Assert.Empty(plain.All("BeforeValue"));
        (await cloudFormation.CallAsync("DeleteChangeSet", ("StackName", name), ("ChangeSetName", "second"))).EnsureSuccess();
        var gone = await cloudFormation.CallAsync("DescribeChangeSet", ("StackName", name), ("ChangeSetName", "second"));
        Assert.Equal((404, "ChangeSetNotFound", "ChangeSet [second] does not exist"), (gone.Status, gone.ErrorCode, gone.ErrorMessage));
    }

    [Fact]
    public async Task A_change_set_without_changes_fails_and_says_so()
    {
        var name = CloudFormationCaller.NewName("nothing");
        await cloudFormation.CreateAndWaitAsync(name, One);
        var described = await cloudFormation.ChangeSetAsync(name, "empty", One, "UPDATE");
        Assert.Equal(("FAILED", "UNAVAILABLE", "The submitted information didn't contain changes. Submit different information to create a change set."),
            (described.Value("Status"), described.Value("ExecutionStatus"), described.Value("StatusReason")));
    }

    [Fact]
    public async Task A_change_set_imports_what_exists()
    {
        var bucket = "imported-" + Guid.NewGuid().ToString("N")[..12];
        (await client.SendAsync("s3", HttpMethod.Put, "/" + bucket)).EnsureSuccess();
        var name = CloudFormationCaller.NewName("import");
        await cloudFormation.CreateAndWaitAsync(name, One);
        var template = One.Replace("Resources: {", $$"""Resources: { Old: { Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: { BucketName: {{bucket}} } },""", StringComparison.Ordinal);
        var described = await cloudFormation.ChangeSetAsync(name, "import", template, "IMPORT",
            ("ResourcesToImport.member.1.ResourceType", "AWS::S3::Bucket"), ("ResourcesToImport.member.1.LogicalResourceId", "Old"),
            ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.key", "BucketName"), ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.value", bucket));
        Assert.Equal(["Import"], described.All("Action").Select(item => item.Value));
        (await cloudFormation.CallAsync("ExecuteChangeSet", ("StackName", name), ("ChangeSetName", "import"))).EnsureSuccess();
        Assert.Equal("IMPORT_COMPLETE", await cloudFormation.WaitAsync(name));
        Assert.Equal(("IMPORT_COMPLETE", bucket), (await cloudFormation.ResourcesAsync(name))["Old"]);

        // A resource has one stack: another one's import of it is taken back.
        var second = CloudFormationCaller.NewName("import");
        template = $$"""Resources: { Mine: { Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: { BucketName: {{bucket}} } } }""";
        await cloudFormation.ChangeSetAsync(second, "import", template, "IMPORT",
            ("ResourcesToImport.member.1.ResourceType", "AWS::S3::Bucket"), ("ResourcesToImport.member.1.LogicalResourceId", "Mine"),
            ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.key", "BucketName"), ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.value", bucket));
        (await cloudFormation.CallAsync("ExecuteChangeSet", ("StackName", second), ("ChangeSetName", "import"))).EnsureSuccess();
        Assert.Equal("IMPORT_ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(second));
        Assert.Contains(await cloudFormation.EventsAsync(second), item => item is { LogicalId: "Mine", Status: "IMPORT_FAILED" });
        Assert.Equal(("IMPORT_COMPLETE", bucket), (await cloudFormation.ResourcesAsync(name))["Old"]);
        (await client.SendAsync("s3", HttpMethod.Head, "/" + bucket)).EnsureSuccess();
    }

    [Fact]
    public async Task A_templates_summary_tells_by_what_each_type_is_imported()
    {
        var summary = (await cloudFormation.CallAsync("GetTemplateSummary", ("TemplateBody", """
            Resources:
              Bucket: { Type: AWS::S3::Bucket }
              Target: { Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: { ResourceId: table/x, ServiceNamespace: dynamodb, ScalableDimension: 'dynamodb:table:ReadCapacityUnits', MinCapacity: 1, MaxCapacity: 2 } }
            """))).EnsureSuccess();

        // One entry is one way to name a resource; an identifier of several properties is one entry with commas.
        Assert.Equal(
            [("AWS::ApplicationAutoScaling::ScalableTarget", "ResourceId,ScalableDimension,ServiceNamespace"), ("AWS::S3::Bucket", "BucketName")],
            summary.All("ResourceIdentifierSummaries").SelectMany(list => list.Elements()).Select(item => (CloudFormationCaller.Of(item, "ResourceType")!, item.Descendants().Single(e => e.Name.LocalName == "ResourceIdentifiers").Value)).Order());
    }

    [Fact]
    public async Task Nested_stacks_have_stacks_events_and_change_sets_of_their_own()
    {
        var name = CloudFormationCaller.NewName("nest");
        var bucket = "templates-" + Guid.NewGuid().ToString("N")[..12];
        (await client.SendAsync("s3", HttpMethod.Put, "/" + bucket)).EnsureSuccess();
        await PutAsync(bucket, "child.yaml", """
            Parameters: { Label: { Type: String } }
            Resources: { Inner: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: label, Value: !Ref Label } ] } } }
            Outputs: { InnerName: { Value: !Ref Inner } }
            """);
        string Root(string label, string url = "child.yaml") => $$"""
            Resources:
              Child:
                Type: AWS::CloudFormation::Stack
                Properties: { TemplateURL: "https://{{bucket}}.s3.us-east-1.amazonaws.com/{{url}}", Parameters: { Label: {{label}} } }
              Outer: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: inner, Value: !GetAtt Child.Outputs.InnerName } ] } }
            """;
        var created = await cloudFormation.ChangeSetAsync(name, "create", Root("one"), "CREATE", ("IncludeNestedStacks", "true"));
        var childChangeSet = created.All("ResourceChange").Single(change => CloudFormationCaller.Of(change, "LogicalResourceId") == "Child");
        var nested = (await cloudFormation.CallAsync("DescribeChangeSet", ("ChangeSetName", CloudFormationCaller.Of(childChangeSet, "ChangeSetId")!))).EnsureSuccess();
        Assert.Equal((created.Value("ChangeSetId"), "Inner"), (nested.Value("ParentChangeSetId"), nested.Value("LogicalResourceId")));
        (await cloudFormation.CallAsync("ExecuteChangeSet", ("StackName", name), ("ChangeSetName", "create"))).EnsureSuccess();
        Assert.Equal("CREATE_COMPLETE", await cloudFormation.WaitAsync(name));
        var childId = (await cloudFormation.ResourcesAsync(name))["Child"].PhysicalId!;
        Assert.Equal(nested.Value("StackId"), childId);
        var child = await cloudFormation.DescribeAsync(childId);
        var rootId = (await cloudFormation.DescribeAsync(name)).Value("StackId");
        Assert.Equal((rootId, rootId, "CREATE_COMPLETE"), (child.Value("ParentId"), child.Value("RootId"), child.Value("StackStatus")));
        Assert.Contains(await cloudFormation.EventsAsync(childId), item => item is { LogicalId: "Inner", Status: "CREATE_COMPLETE" });
        var inner = (await cloudFormation.ResourcesAsync(childId))["Inner"].PhysicalId!;

        var update = await cloudFormation.ChangeSetAsync(name, "update", Root("two"), "UPDATE", ("IncludeNestedStacks", "true"));
        var nestedId = update.All("ResourceChange").Select(change => CloudFormationCaller.Of(change, "ChangeSetId")).Single(id => id is not null)!;
        var inside = (await cloudFormation.CallAsync("DescribeChangeSet", ("ChangeSetName", nestedId), ("IncludePropertyValues", "true"))).EnsureSuccess();
        Assert.Equal(("one", "two"), (inside.Value("BeforeValue"), inside.Value("AfterValue")));
        (await cloudFormation.CallAsync("ExecuteChangeSet", ("ChangeSetName", update.Value("ChangeSetId")!))).EnsureSuccess();
        Assert.Equal("UPDATE_COMPLETE", await cloudFormation.WaitAsync(name));
        Assert.Equal(inner, (await cloudFormation.ResourcesAsync(childId))["Inner"].PhysicalId);

        // A failure inside takes everything back, the nested stack too.
        await PutAsync(bucket, "broken.yaml", """
            Parameters: { Label: { Type: String } }
            Resources:
              Inner: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: label, Value: broken } ] } }
              Bad: { Type: AWS::S3::Bucket, DependsOn: Inner, Properties: { BucketName: Not_A_Bucket_Name } }
            Outputs: { InnerName: { Value: !Ref Inner } }
            """);
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", await cloudFormation.UpdateAndWaitAsync(name, Root("three", "broken.yaml")));
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", await cloudFormation.StatusAsync(childId));
        Assert.Contains(await cloudFormation.EventsAsync(name), item => item is { LogicalId: "Child", Status: "UPDATE_FAILED" } && item.Reason!.Contains("failed to create: [Bad]", StringComparison.Ordinal));
        Assert.Contains("<Value>two</Value>", (await client.SendAsync("s3", HttpMethod.Get, $"/{inner}?tagging")).Text, StringComparison.Ordinal);

        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(rootId!));
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.StatusAsync(childId));
    }

    [Fact]
    public async Task A_nested_failure_during_creation_is_told_on_the_parent()
    {
        var name = CloudFormationCaller.NewName("nestfail");
        var bucket = "templates-" + Guid.NewGuid().ToString("N")[..12];
        (await client.SendAsync("s3", HttpMethod.Put, "/" + bucket)).EnsureSuccess();
        await PutAsync(bucket, "child.yaml", "Resources: { Bad: { Type: AWS::S3::Bucket, Properties: { BucketName: Not_A_Bucket_Name } } }");
        var id = await cloudFormation.CreateAsync(name, $$"""
            Resources: { Child: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: "{{sandbox.Host.Endpoint}}{{bucket}}/child.yaml" } } }
            """);
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(id));
        var failed = Assert.Single(await cloudFormation.EventsAsync(id), item => item is { LogicalId: "Child", Status: "CREATE_FAILED" });
        Assert.Equal($"Embedded stack {failed.PhysicalId} was not successfully created: The following resource(s) failed to create: [Bad]. ", failed.Reason);
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.StatusAsync(failed.PhysicalId!));
    }

    [Fact]
    public async Task The_newer_history_knows_operations_and_failures()
    {
        var name = CloudFormationCaller.NewName("events");
        var answer = (await cloudFormation.CallAsync("CreateStack", ("StackName", name), ("TemplateBody", "Resources: { Bad: { Type: AWS::S3::Bucket, Properties: { BucketName: Not_A_Bucket_Name } } }"))).EnsureSuccess();
        await cloudFormation.WaitAsync(name);
        var failures = (await cloudFormation.CallAsync("DescribeEvents", ("OperationId", answer.Value("OperationId")!), ("Filters.FailedEvents", "true"))).EnsureSuccess();
        Assert.Equal(("Bad", "PROVISIONING_ERROR", "CREATE_STACK"), (failures.Value("LogicalResourceId"), failures.Value("EventType"), failures.Value("OperationType")));
        Assert.Contains((await cloudFormation.CallAsync("DescribeEvents", ("StackName", name))).EnsureSuccess().All("EventType"), item => item.Value == "STACK_EVENT");
    }

    [Fact]
    public async Task A_wait_condition_waits_for_its_signal()
    {
        var name = CloudFormationCaller.NewName("signal");
        await cloudFormation.CreateAsync(name, """
            Resources:
              Handle: { Type: AWS::CloudFormation::WaitConditionHandle }
              Condition: { Type: AWS::CloudFormation::WaitCondition, Properties: { Handle: !Ref Handle, Timeout: 43200 } }
            Outputs: { Data: { Value: !GetAtt Condition.Data } }
            """);
        var url = (await CloudFormationCaller.UntilAsync(() => cloudFormation.ResourcesAsync(name), resources => resources.TryGetValue("Handle", out var handle) && handle.Status == "CREATE_COMPLETE"))["Handle"].PhysicalId!;
        (await SandboxClient.SendAsync(new HttpRequestMessage(HttpMethod.Put, url) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"Status":"SUCCESS","UniqueId":"one","Data":"ready","Reason":""}""")) })).EnsureSuccess();
        Assert.Equal("CREATE_COMPLETE", await cloudFormation.WaitAsync(name));
        Assert.Equal("""{"one":"ready"}""", (await cloudFormation.DescribeAsync(name)).Value("OutputValue"));
    }

    private async Task PutAsync(string bucket, string key, string text) =>
        (await client.SendAsync("s3", HttpMethod.Put, $"/{bucket}/{key}", Encoding.UTF8.GetBytes(text))).EnsureSuccess();
}
