namespace Inferloop.Tests.Sandbox;

public sealed class StackTests(SandboxFixture sandbox)
{
    private readonly CloudFormationCaller cloudFormation = new(sandbox);
    private readonly SandboxClient client = new(sandbox.Host);

    private const string TwoBuckets = """
        Parameters:
          Label: { Type: String, Default: one }
        Resources:
          First:
            Type: AWS::S3::Bucket
            Properties: { Tags: [ { Key: label, Value: !Ref Label } ] }
          Second:
            Type: AWS::S3::Bucket
            DependsOn: First
        Outputs:
          FirstArn: { Value: !GetAtt First.Arn }
        """;

    [Fact]
    public async Task A_stack_is_created_in_dependency_order_with_an_event_for_every_step()
    {
        var name = CloudFormationCaller.NewName("order");
        var id = await cloudFormation.CreateAndWaitAsync(name, TwoBuckets, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "data"));
        var events = await cloudFormation.EventsAsync(name);
        var steps = events.Select(item => (item.LogicalId, item.Status, item.Reason)).ToList();
        Assert.Equal(
            [
                (name, "CREATE_IN_PROGRESS", "User Initiated"),
                ("First", "CREATE_IN_PROGRESS", null),
                ("First", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
                ("First", "CREATE_COMPLETE", null),
                ("Second", "CREATE_IN_PROGRESS", null),
                ("Second", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
                ("Second", "CREATE_COMPLETE", null),
                (name, "CREATE_COMPLETE", null),
            ],
            steps);
        var bucket = (await cloudFormation.ResourcesAsync(name))["First"].PhysicalId!;
        Assert.StartsWith(name.ToLowerInvariant() + "-first-", bucket, StringComparison.Ordinal);
        Assert.Equal($"arn:aws:s3:::{bucket}", (await cloudFormation.DescribeAsync(id)).Value("OutputValue"));
        var tags = (await client.SendAsync("s3", HttpMethod.Get, $"/{bucket}?tagging")).EnsureSuccess().All("Tag").ToDictionary(tag => CloudFormationCaller.Of(tag, "Key")!, tag => CloudFormationCaller.Of(tag, "Value"));
        Assert.Equal("data", tags["team"]);
        Assert.Equal("one", tags["label"]);
        Assert.Equal(name, tags["aws:cloudformation:stack-name"]);
        Assert.Equal("First", tags["aws:cloudformation:logical-id"]);
    }

    [Fact]
    public async Task A_failed_creation_is_rolled_back_and_names_the_resource_and_its_reason()
    {
        var name = CloudFormationCaller.NewName("failing");
        var id = await cloudFormation.CreateAsync(name, """
            Resources:
              Good: { Type: AWS::S3::Bucket }
              Bad:
                Type: AWS::S3::Bucket
                DependsOn: Good
                Properties: { BucketName: Not_A_Bucket_Name }
              Never: { Type: AWS::S3::Bucket, DependsOn: Bad }
            """);
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(id));
        var events = await cloudFormation.EventsAsync(id);
        var failure = Assert.Single(events, item => item.Status == "CREATE_FAILED");
        Assert.Equal("Bad", failure.LogicalId);
        Assert.Contains("The specified bucket is not valid.", failure.Reason, StringComparison.Ordinal);
        Assert.Contains("Service: S3, Status Code: 400", failure.Reason, StringComparison.Ordinal);
        Assert.Contains("HandlerErrorCode: InvalidRequest", failure.Reason, StringComparison.Ordinal);
        var rollback = Assert.Single(events, item => item.Status == "ROLLBACK_IN_PROGRESS");
        Assert.Equal("The following resource(s) failed to create: [Bad]. Rollback requested by user.", rollback.Reason);
        Assert.Contains(events, item => item is { LogicalId: "Good", Status: "DELETE_COMPLETE" });
        Assert.DoesNotContain(events, item => item.LogicalId == "Never");
        var update = await cloudFormation.CallAsync("UpdateStack", ("StackName", name), ("TemplateBody", TwoBuckets));
        Assert.Equal($"Stack:{id} is in ROLLBACK_COMPLETE state and can not be updated.", update.ErrorMessage);
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
    }

    [Fact]
    public async Task A_rollback_waits_for_a_table_that_is_still_being_created()
    {
        // A clock slow enough that the rollback comes to the table before it is active.
        await using var slow = new SandboxFixture(new Inferloop.Sandbox.SandboxOptions { ClockRate = 20 });
        await slow.InitializeAsync();
        var caller = new CloudFormationCaller(slow);
        var name = CloudFormationCaller.NewName("early");
        var id = await caller.CreateAsync(name, """
            Resources:
              Table:
                Type: AWS::DynamoDB::Table
                Properties:
                  BillingMode: PAY_PER_REQUEST
                  AttributeDefinitions: [ { AttributeName: id, AttributeType: S } ]
                  KeySchema: [ { AttributeName: id, KeyType: HASH } ]
              Bad: { Type: AWS::S3::Bucket, Properties: { BucketName: Not_A_Bucket_Name } }
            """);
        Assert.Equal("ROLLBACK_COMPLETE", await caller.WaitAsync(id));
        var events = await caller.EventsAsync(id);
        Assert.Contains(events, item => item is { LogicalId: "Table", Status: "CREATE_FAILED", Reason: "Resource creation cancelled" });
        Assert.Contains(events, item => item is { LogicalId: "Table", Status: "DELETE_COMPLETE" });
    }

    [Fact]
    public async Task A_failed_creation_can_be_left_as_it_is_and_rolled_back_later()
    {
        const string Template = """
            Resources:
              Good: { Type: AWS::S3::Bucket }
              Bad: { Type: AWS::S3::Bucket, DependsOn: Good, Properties: { BucketName: Not_A_Bucket_Name } }
            """;
        var name = CloudFormationCaller.NewName("left");
        await cloudFormation.CreateAsync(name, Template, ("OnFailure", "DO_NOTHING"));
        Assert.Equal("CREATE_FAILED", await cloudFormation.WaitAsync(name));
        Assert.Equal("CREATE_COMPLETE", (await cloudFormation.ResourcesAsync(name))["Good"].Status);
        (await cloudFormation.CallAsync("RollbackStack", ("StackName", name))).EnsureSuccess();
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(name));
        var deleting = CloudFormationCaller.NewName("gone");
        var id = await cloudFormation.CreateAsync(deleting, Template, ("OnFailure", "DELETE"));
        await CloudFormationCaller.UntilAsync(() => cloudFormation.StatusAsync(id), status => status == "DELETE_COMPLETE");
    }

    [Fact]
    public async Task A_type_the_sandbox_does_not_have_fails_with_that_reason_and_an_unknown_one_is_refused()
    {
        var name = CloudFormationCaller.NewName("type");
        await cloudFormation.CreateAsync(name, "{\"Resources\":{\"X\":{\"Type\":\"AWS::QuickSight::Theme\",\"Properties\":{\"AwsAccountId\":\"1\",\"ThemeId\":\"x\",\"Name\":\"n\",\"BaseThemeId\":\"b\",\"Configuration\":{}}}}}");
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(name));
        Assert.Contains(await cloudFormation.EventsAsync(name), item => item.Reason == "Resource type AWS::QuickSight::Theme is not provided by the sandbox");
        var answer = await cloudFormation.CallAsync("CreateStack", ("StackName", name + "2"), ("TemplateBody", "{\"Resources\":{\"X\":{\"Type\":\"AWS::No::Such\"}}}"));
        Assert.Equal(("ValidationError", "Template format error: Unrecognized resource types: [AWS::No::Such]"), (answer.ErrorCode, answer.ErrorMessage));
    }

    [Fact]
    public async Task An_update_changes_in_place_replaces_and_removes()
    {
        var name = CloudFormationCaller.NewName("update");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets);
        var before = await cloudFormation.ResourcesAsync(name);
        var status = await cloudFormation.UpdateAndWaitAsync(name, """
            Resources:
              First:
                Type: AWS::S3::Bucket
                Properties: { VersioningConfiguration: { Status: Enabled } }
              Third: { Type: AWS::S3::Bucket }
            """);
        Assert.Equal("UPDATE_COMPLETE", status);
        var after = await cloudFormation.ResourcesAsync(name);
        Assert.Equal(before["First"].PhysicalId, after["First"].PhysicalId);
        Assert.Equal("UPDATE_COMPLETE", after["First"].Status);
        Assert.Equal("DELETE_COMPLETE", after["Second"].Status);
        Assert.Contains("<Status>Enabled</Status>", (await client.SendAsync("s3", HttpMethod.Get, $"/{after["First"].PhysicalId}?versioning")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await client.SendAsync("s3", HttpMethod.Head, $"/{before["Second"].PhysicalId}")).Status);
        var renamed = "renamed-" + Guid.NewGuid().ToString("N")[..10];
        await cloudFormation.UpdateAndWaitAsync(name, $$"""
            Resources:
              First: { Type: AWS::S3::Bucket, Properties: { BucketName: {{renamed}} } }
            """);
        var events = await cloudFormation.EventsAsync(name);
        Assert.Contains(events, item => item.LogicalId == "First" && item.Reason == "Requested update requires the creation of a new physical resource; hence creating one.");
        Assert.Contains(events, item => item.LogicalId == "First" && item.Status == "DELETE_COMPLETE" && item.PhysicalId == before["First"].PhysicalId);
        Assert.Equal(renamed, (await cloudFormation.ResourcesAsync(name))["First"].PhysicalId);
        Assert.Equal("UPDATE_COMPLETE", await cloudFormation.StatusAsync(name));
    }

    [Fact]
    public async Task A_failed_update_restores_what_was()
    {
        var name = CloudFormationCaller.NewName("restore");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets, ("Parameters.member.1.ParameterKey", "Label"), ("Parameters.member.1.ParameterValue", "before"));
        var first = (await cloudFormation.ResourcesAsync(name))["First"].PhysicalId!;
        var status = await cloudFormation.UpdateAndWaitAsync(name, """
            Parameters:
              Label: { Type: String }
            Resources:
              First:
                Type: AWS::S3::Bucket
                Properties: { BucketName: !Sub "${Label}-renamed-${AWS::AccountId}" }
              Second: { Type: AWS::S3::Bucket, DependsOn: First, Properties: { VersioningConfiguration: { Status: Enabled } } }
              Bad: { Type: AWS::S3::Bucket, DependsOn: Second, Properties: { BucketName: Not_A_Bucket_Name } }
            """, ("Parameters.member.1.ParameterKey", "Label"), ("Parameters.member.1.ParameterValue", "after"));
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", status);
        var described = await cloudFormation.DescribeAsync(name);
        Assert.Equal("before", described.Value("ParameterValue"));
        Assert.Equal($"arn:aws:s3:::{first}", described.Value("OutputValue"));
        var resources = await cloudFormation.ResourcesAsync(name);
        Assert.Equal(first, resources["First"].PhysicalId);
        Assert.DoesNotContain("Enabled", (await client.SendAsync("s3", HttpMethod.Get, $"/{resources["Second"].PhysicalId}?versioning")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await client.SendAsync("s3", HttpMethod.Head, "/after-renamed-123456789012")).Status);
        var events = await cloudFormation.EventsAsync(name);
        Assert.Contains(events, item => item is { Status: "UPDATE_ROLLBACK_IN_PROGRESS", Reason: "The following resource(s) failed to create: [Bad]. " });
        Assert.Contains(events, item => item.Status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
        Assert.Equal("UPDATE_COMPLETE", await cloudFormation.UpdateAndWaitAsync(name, TwoBuckets, ("Parameters.member.1.ParameterKey", "Label"), ("Parameters.member.1.ParameterValue", "again")));
    }

    [Fact]
    public async Task A_rollback_that_fails_is_continued_with_the_resource_skipped()
    {
        // The rollback of First's versioning fails, because meanwhile its bucket is gone.
        var name = CloudFormationCaller.NewName("stuck");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets);
        var first = (await cloudFormation.ResourcesAsync(name))["First"].PhysicalId!;
        (await cloudFormation.CallAsync("UpdateStack", ("StackName", name), ("DisableRollback", "true"), ("TemplateBody", """
            Resources:
              First: { Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Enabled } } }
              Second: { Type: AWS::S3::Bucket, DependsOn: First }
              Bad: { Type: AWS::S3::Bucket, DependsOn: First, Properties: { BucketName: Not_A_Bucket_Name } }
            """))).EnsureSuccess();
        Assert.Equal("UPDATE_FAILED", await cloudFormation.WaitAsync(name));
        (await client.SendAsync("s3", HttpMethod.Delete, "/" + first)).EnsureSuccess();
        (await cloudFormation.CallAsync("RollbackStack", ("StackName", name))).EnsureSuccess();
        Assert.Equal("UPDATE_ROLLBACK_FAILED", await cloudFormation.WaitAsync(name));
        Assert.Equal("The following resource(s) failed to update: [First]. ", (await cloudFormation.DescribeAsync(name)).Value("StackStatusReason"));
        var wrong = await cloudFormation.CallAsync("ContinueUpdateRollback", ("StackName", name), ("ResourcesToSkip.member.1", "Second"));
        Assert.Equal("ValidationError", wrong.ErrorCode);
        (await cloudFormation.CallAsync("ContinueUpdateRollback", ("StackName", name), ("ResourcesToSkip.member.1", "First"))).EnsureSuccess();
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(name));
    }

    [Fact]
    public async Task The_same_again_is_no_update()
    {
        var name = CloudFormationCaller.NewName("same");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets);
        var answer = await cloudFormation.CallAsync("UpdateStack", ("StackName", name), ("UsePreviousTemplate", "true"));
        Assert.Equal((400, "ValidationError", "No updates are to be performed."), (answer.Status, answer.ErrorCode, answer.ErrorMessage));
        Assert.Equal("UPDATE_COMPLETE", await TagAsync(name));
    }

    private async Task<string> TagAsync(string name)
    {
        (await cloudFormation.CallAsync("UpdateStack", ("StackName", name), ("UsePreviousTemplate", "true"), ("Tags.member.1.Key", "cost"), ("Tags.member.1.Value", "42"))).EnsureSuccess();
        var status = await cloudFormation.WaitAsync(name);
        var bucket = (await cloudFormation.ResourcesAsync(name))["Second"].PhysicalId!;
        Assert.Contains("<Key>cost</Key><Value>42</Value>", (await client.SendAsync("s3", HttpMethod.Get, $"/{bucket}?tagging")).Text, StringComparison.Ordinal);
        return status;
    }

    [Fact]
    public async Task A_name_is_taken_once_a_token_repeats_and_a_deleted_stack_is_found_by_its_id()
    {
        var name = CloudFormationCaller.NewName("taken");
        var id = await cloudFormation.CreateAsync(name, TwoBuckets, ("ClientRequestToken", "token-1"));
        Assert.Equal(id, await cloudFormation.CreateAsync(name, TwoBuckets, ("ClientRequestToken", "token-1")));
        var again = await cloudFormation.CallAsync("CreateStack", ("StackName", name), ("TemplateBody", TwoBuckets));
        Assert.Equal((400, "AlreadyExistsException", $"Stack [{name}] already exists"), (again.Status, again.ErrorCode, again.ErrorMessage));
        await cloudFormation.WaitAsync(id);
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
        Assert.Equal($"Stack with id {name} does not exist", (await cloudFormation.CallAsync("DescribeStacks", ("StackName", name))).ErrorMessage);
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.StatusAsync(id));
        Assert.NotEqual(id, await cloudFormation.CreateAsync(name, TwoBuckets));
    }

    [Fact]
    public async Task Termination_protection_is_enforced()
    {
        var name = CloudFormationCaller.NewName("protected");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets, ("EnableTerminationProtection", "true"));
        var refused = await cloudFormation.CallAsync("DeleteStack", ("StackName", name));
        Assert.Equal(("ValidationError", $"Stack [{name}] cannot be deleted while TerminationProtection is enabled"), (refused.ErrorCode, refused.ErrorMessage));
        (await cloudFormation.CallAsync("UpdateTerminationProtection", ("StackName", name), ("EnableTerminationProtection", "false"))).EnsureSuccess();
        var id = (await cloudFormation.DescribeAsync(name)).Value("StackId")!;
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
    }

    [Fact]
    public async Task A_stack_policy_denies_and_can_be_overridden_for_one_update()
    {
        const string Policy = """{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"},{"Effect":"Deny","Action":"Update:Modify","Principal":"*","Resource":"LogicalResourceId/First"}]}""";
        var changed = TwoBuckets.Replace("Default: one", "Default: two", StringComparison.Ordinal);
        var name = CloudFormationCaller.NewName("policy");
        await cloudFormation.CreateAndWaitAsync(name, TwoBuckets, ("StackPolicyBody", Policy));
        Assert.Equal(Policy, (await cloudFormation.CallAsync("GetStackPolicy", ("StackName", name))).EnsureSuccess().Value("StackPolicyBody"));
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", await cloudFormation.UpdateAndWaitAsync(name, changed));
        Assert.Contains(await cloudFormation.EventsAsync(name), item => item is { LogicalId: "First", Status: "UPDATE_FAILED" } && item.Reason!.StartsWith("Action denied by stack policy: Statement [#2] does not allow [Update:Modify]", StringComparison.Ordinal));
        Assert.Equal("UPDATE_COMPLETE", await cloudFormation.UpdateAndWaitAsync(name, changed,
            ("StackPolicyDuringUpdateBody", """{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}""")));
        Assert.Equal("ValidationError", (await cloudFormation.CallAsync("SetStackPolicy", ("StackName", name), ("StackPolicyBody", "{}"))).ErrorCode);
    }

    [Fact]
    public async Task Retained_resources_stay_and_undeletable_ones_can_be_retained()
    {
        var name = CloudFormationCaller.NewName("retain");
        var id = await cloudFormation.CreateAndWaitAsync(name, """
            Resources:
              Kept: { Type: AWS::S3::Bucket, DeletionPolicy: Retain }
              Full: { Type: AWS::S3::Bucket }
            """);
        var resources = await cloudFormation.ResourcesAsync(id);
        (await client.SendAsync("s3", HttpMethod.Put, $"/{resources["Full"].PhysicalId}/object", "x"u8.ToArray())).EnsureSuccess();
        Assert.Equal("DELETE_FAILED", await cloudFormation.DeleteAndWaitAsync(id));
        Assert.Equal("The following resource(s) failed to delete: [Full]. ", (await cloudFormation.DescribeAsync(id)).Value("StackStatusReason"));
        Assert.Contains(await cloudFormation.EventsAsync(id), item => item is { LogicalId: "Full", Status: "DELETE_FAILED" } && item.Reason!.Contains("not empty", StringComparison.Ordinal));
        (await cloudFormation.CallAsync("DeleteStack", ("StackName", id), ("RetainResources.member.1", "Full"))).EnsureSuccess();
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.WaitAsync(id));
        Assert.Equal(200, (await client.SendAsync("s3", HttpMethod.Head, $"/{resources["Kept"].PhysicalId}")).Status);
        Assert.Equal(200, (await client.SendAsync("s3", HttpMethod.Head, $"/{resources["Full"].PhysicalId}")).Status);
        Assert.Equal(2, (await cloudFormation.EventsAsync(id)).Count(item => item.Status == "DELETE_SKIPPED"));
    }

    [Fact]
    public async Task An_export_in_use_can_be_neither_changed_nor_deleted()
    {
        var export = CloudFormationCaller.NewName("export");
        var exporting = CloudFormationCaller.NewName("exporter");
        var template = $$"""
            Resources:
              Bucket: { Type: AWS::S3::Bucket }
            Outputs:
              Name: { Value: !Ref Bucket, Export: { Name: {{export}} } }
            """;
        var id = await cloudFormation.CreateAndWaitAsync(exporting, template);
        var importing = CloudFormationCaller.NewName("importer");
        await cloudFormation.CreateAndWaitAsync(importing, $$"""
            Resources:
              Bucket: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: other, Value: !ImportValue {{export}} } ] } }
            """);
        Assert.Contains(importing, (await cloudFormation.CallAsync("ListImports", ("ExportName", export))).EnsureSuccess().Text, StringComparison.Ordinal);
        Assert.Contains(export, (await cloudFormation.CallAsync("ListExports")).EnsureSuccess().Text, StringComparison.Ordinal);
        Assert.Equal("DELETE_FAILED", await cloudFormation.DeleteAndWaitAsync(id));
        Assert.Equal($"Export {export} cannot be deleted as it is in use by {importing}", (await cloudFormation.DescribeAsync(id)).Value("StackStatusReason"));
        var taken = CloudFormationCaller.NewName("second");
        await cloudFormation.CreateAsync(taken, template);
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync(taken));
        var importer = (await cloudFormation.DescribeAsync(importing)).Value("StackId")!;
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(importer));
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
    }

    [Fact]
    public async Task Drift_is_found_and_goes_when_the_resource_is_put_right()
    {
        var name = CloudFormationCaller.NewName("drift");
        await cloudFormation.CreateAndWaitAsync(name, "Resources: { Bucket: { Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Enabled } } } }");
        var bucket = (await cloudFormation.ResourcesAsync(name))["Bucket"].PhysicalId!;
        Assert.Equal("IN_SYNC", await DetectAsync(name));
        (await client.SendAsync("s3", HttpMethod.Put, $"/{bucket}?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"u8.ToArray())).EnsureSuccess();
        Assert.Equal("DRIFTED", await DetectAsync(name));
        var drifts = (await cloudFormation.CallAsync("DescribeStackResourceDrifts", ("StackName", name))).EnsureSuccess();
        Assert.Equal(("MODIFIED", "/VersioningConfiguration/Status", "Enabled", "Suspended", "NOT_EQUAL"),
            (drifts.Value("StackResourceDriftStatus"), drifts.Value("PropertyPath"), drifts.Value("ExpectedValue"), drifts.Value("ActualValue"), drifts.Value("DifferenceType")));
        (await client.SendAsync("s3", HttpMethod.Delete, "/" + bucket)).EnsureSuccess();
        Assert.Equal("DRIFTED", await DetectAsync(name));
        Assert.Equal("DELETED", (await cloudFormation.CallAsync("DescribeStackResourceDrifts", ("StackName", name))).EnsureSuccess().Value("StackResourceDriftStatus"));
    }

    private async Task<string> DetectAsync(string name)
    {
        var id = (await cloudFormation.CallAsync("DetectStackDrift", ("StackName", name))).EnsureSuccess().Value("StackDriftDetectionId")!;
        var done = await CloudFormationCaller.UntilAsync(async () => (await cloudFormation.CallAsync("DescribeStackDriftDetectionStatus", ("StackDriftDetectionId", id))).EnsureSuccess(), answer => answer.Value("DetectionStatus") != "DETECTION_IN_PROGRESS");
        return done.Value("StackDriftStatus")!;
    }

    [Theory]
    [InlineData("Resources: { X: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref Missing } } }", "Template format error: Unresolved resource dependencies [Missing] in the Resources block of the template")]
    [InlineData("Parameters: { P: { Type: String } }\nResources: { X: { Type: AWS::S3::Bucket } }", "Parameters: [P] must have values")]
    [InlineData("Description: nothing", "Template format error: At least one Resources member must be defined.")]
    public async Task A_template_that_cannot_be_deployed_is_refused_in_CloudFormations_words(string template, string message)
    {
        var answer = await cloudFormation.CallAsync("CreateStack", ("StackName", CloudFormationCaller.NewName("refused")), ("TemplateBody", template));
        Assert.Equal((400, "ValidationError", message), (answer.Status, answer.ErrorCode, answer.ErrorMessage));
    }

    [Fact]
    public async Task Requests_are_checked()
    {
        async Task<string?> MessageAsync(params (string, string)[] parameters) => (await cloudFormation.CallAsync("CreateStack", parameters)).ErrorMessage;
        Assert.Equal("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null", await MessageAsync(("TemplateBody", TwoBuckets)));
        Assert.StartsWith("1 validation error detected: Value '9x' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern", await MessageAsync(("StackName", "9x"), ("TemplateBody", TwoBuckets)), StringComparison.Ordinal);
        Assert.Equal("Either Template URL or Template Body must be specified.", await MessageAsync(("StackName", "x")));
        Assert.Equal("Parameters: [Wrong] do not exist in the template", await MessageAsync(("StackName", "x"), ("TemplateBody", TwoBuckets), ("Parameters.member.1.ParameterKey", "Wrong"), ("Parameters.member.1.ParameterValue", "1")));
        Assert.Equal("TemplateURL must be a supported URL.", await MessageAsync(("StackName", "x"), ("TemplateURL", "https://example.com/template.yaml")));
        Assert.StartsWith("S3 error: ", await MessageAsync(("StackName", "x"), ("TemplateURL", "https://nobodys-bucket.s3.amazonaws.com/template.yaml")), StringComparison.Ordinal);
        var large = await MessageAsync(("StackName", "x"), ("TemplateBody", TwoBuckets + "\n# " + new string('x', 51_200)));
        Assert.EndsWith("at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200", large, StringComparison.Ordinal);
        var iam = await cloudFormation.CallAsync("CreateStack", ("StackName", "x"), ("TemplateBody", "Resources: { R: { Type: AWS::IAM::Role, Properties: { RoleName: r, AssumeRolePolicyDocument: {} } } }"));
        Assert.Equal(("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"), (iam.ErrorCode, iam.ErrorMessage));
        Assert.Equal("InvalidAction", (await cloudFormation.CallAsync("NoSuchAction")).ErrorCode);
        var missing = await cloudFormation.CallAsync("CreateStackSet", ("StackSetName", "x"));
        Assert.Equal((501, "NotImplemented"), (missing.Status, missing.ErrorCode));
        Assert.Contains("CreateStackSet", missing.ErrorMessage, StringComparison.Ordinal);
    }
}
