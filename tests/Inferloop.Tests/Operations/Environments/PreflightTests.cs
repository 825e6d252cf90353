using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What would let a create fail is told before it begins.</summary>
public sealed class PreflightTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_fresh_account_passes_and_every_finding_says_what_was_looked_at()
    {
        var findings = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: true, Stop);
        Assert.DoesNotContain(findings, f => f.Severity == PreflightSeverity.Error);
        Assert.Contains(findings, f => f is { Check: PreflightCheck.Quota, Subject: "VPCs", Severity: PreflightSeverity.Passed });
        Assert.Contains(findings, f => f is { Check: PreflightCheck.Region, Severity: PreflightSeverity.Passed });
        Assert.All(findings.Where(f => f.Severity >= PreflightSeverity.Warning && f.Check != PreflightCheck.Spec), f => Assert.NotEmpty(f.Remedy));
    }

    [Fact]
    public async Task Quotas_are_held_against_what_is_used_and_needed()
    {
        for (var i = 0; i < 5; i++)
        {
            await harness.Aws.EC2.AllocateAddressAsync(new Amazon.EC2.Model.AllocateAddressRequest { Domain = "vpc" }, Stop);
        }

        var found = Assert.Single(await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop), f => f is { Check: PreflightCheck.Quota, Subject: "elastic IP addresses" });
        Assert.NotEqual(PreflightSeverity.Passed, found.Severity);
        Assert.Contains("5 are used, 1 more", found.Message, StringComparison.Ordinal);
        Assert.Contains("L-0263D0A3", found.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_an_earlier_environment_left_is_refused_before_anything_is_made()
    {
        harness.Edit("main.yaml", "\nOutputs:\n", "\n  Left:\n    Type: AWS::S3::Bucket\n    Properties: { BucketName: left-by-another }\nOutputs:\n");
        await harness.S3.PutBucketAsync("left-by-another", Stop);
        var ada = harness.Operator();
        var careful = new EnvironmentOperations(harness.Aws, ada.Operations.Options with { Preflight = true }, ada);
        var error = await Assert.ThrowsAsync<OperationException>(() => careful.PrepareCreateAsync(EnvironmentHarness.Spec, false, false, Stop));
        Assert.Equal("PreflightFailed", error.ErrorId);
        Assert.Contains("left-by-another", error.Message, StringComparison.Ordinal);
        Assert.Contains("-SkipPreflight", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty((await harness.CloudFormation.DescribeStacksAsync(new Amazon.CloudFormation.Model.DescribeStacksRequest(), Stop)).Stacks ?? []);
        await harness.S3.DeleteBucketAsync("left-by-another", Stop);
        await using var prepared = await careful.PrepareCreateAsync(EnvironmentHarness.Spec, preview: false, resume: false, Stop);
        Assert.NotNull(prepared.ChangeSet);
    }

    [Fact]
    public async Task A_name_that_another_stack_has_is_told_with_the_stack()
    {
        harness.Edit("main.yaml", "\nOutputs:\n", "\n  Left:\n    Type: AWS::S3::Bucket\n    Properties: { BucketName: of-another-stack }\nOutputs:\n");
        await harness.CloudFormation.CreateStackAsync(
            new Amazon.CloudFormation.Model.CreateStackRequest { StackName = "reports", TemplateBody = "Resources: { Archive: { Type: AWS::S3::Bucket, Properties: { BucketName: of-another-stack } } }" }, Stop);
        InferloopPreflightFinding? found = null;
        while (found?.Message.Contains("'Archive' of the stack 'reports'", StringComparison.Ordinal) != true)
        {
            // Until the bucket is there the name is free; the test's own time limit ends a wait for nothing.
            found = (await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop)).Single(f => f is { Check: PreflightCheck.Name, Subject: "of-another-stack" });
        }

        Assert.Equal(PreflightSeverity.Error, found.Severity);
        Assert.Contains("New-InferloopEnvironment -Name", found.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("Import-InferloopResource", found.Remedy, StringComparison.Ordinal);

        // What no stack has can be given one, if CloudFormation imports the type.
        await harness.CloudFormation.DeleteStackAsync(new Amazon.CloudFormation.Model.DeleteStackRequest { StackName = "reports" }, Stop);
        await harness.S3.PutBucketAsync("of-no-stack", Stop);
        harness.Edit("main.yaml", "{ BucketName: of-another-stack }", "{ BucketName: of-no-stack }");
        found = (await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop)).Single(f => f is { Check: PreflightCheck.Name, Subject: "of-no-stack" });
        Assert.EndsWith("Import-InferloopResource.", found.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listener_traps_certificates_and_instance_types_are_errors()
    {
        harness.Edit("main.yaml", "\nOutputs:\n", """

              Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Subnets: [a, b] } }
              One: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Alb, Port: 443, DefaultActions: [ { Type: fixed-response } ], Certificates: [ { CertificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/x' } ] } }
              Two: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Alb, Port: 443, DefaultActions: [ { Type: fixed-response } ] } }
              Host: { Type: AWS::EC2::LaunchTemplate, Properties: { LaunchTemplateData: { InstanceType: z9.nothing } } }
            Outputs:

            """);
        var errors = (await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: true, Stop)).Where(f => f.Severity == PreflightSeverity.Error).ToList();
        Assert.Contains(errors, f => f.Check == PreflightCheck.Template && f.Subject.StartsWith("ListenerPortTaken", StringComparison.Ordinal));
        Assert.Contains(errors, f => f.Check == PreflightCheck.Certificate && f.Message.Contains("eu-west-1", StringComparison.Ordinal));
        Assert.Contains(errors, f => f is { Check: PreflightCheck.InstanceType, Subject: "z9.nothing" });
    }

    [Fact]
    public async Task A_recorder_and_trails_that_the_account_has_already_are_told()
    {
        harness.Edit("main.yaml", "\nOutputs:\n", """

              Recorder: { Type: AWS::Config::ConfigurationRecorder, Properties: { RoleARN: r } }
              Trail: { Type: AWS::CloudTrail::Trail, Properties: { TrailName: inferloop-demo-dev, IsLogging: true, S3BucketName: b } }
            Outputs:

            """);
        var before = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop);
        Assert.Contains(before, f => f is { Severity: PreflightSeverity.Passed, Subject: "AWS Config" });
        Assert.Contains(before, f => f is { Severity: PreflightSeverity.Passed, Subject: "CloudTrail" });

        var config = harness.Aws.Client<Amazon.ConfigService.IAmazonConfigService>();
        await config.PutConfigurationRecorderAsync(
            new Amazon.ConfigService.Model.PutConfigurationRecorderRequest { ConfigurationRecorder = new() { Name = "of-the-organisation", RoleARN = "arn:aws:iam::123456789012:role/config" } }, Stop);
        await harness.S3.PutBucketAsync("trails-of-the-organisation", Stop);
        var document = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::trails-of-the-organisation","arn:aws:s3:::trails-of-the-organisation/*"]}]}""";
        await harness.S3.PutBucketPolicyAsync("trails-of-the-organisation", document, Stop);
        var trails = harness.Aws.Client<Amazon.CloudTrail.IAmazonCloudTrail>();
        await trails.CreateTrailAsync(new Amazon.CloudTrail.Model.CreateTrailRequest { Name = "of-the-organisation", S3BucketName = "trails-of-the-organisation", IsMultiRegionTrail = true }, Stop);
        var with = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop);
        Assert.Contains(with, f => f is { Severity: PreflightSeverity.Error, Subject: "AWS Config" } && f.Message.Contains("of-the-organisation", StringComparison.Ordinal) && f.Remedy.Contains("-ConfigEnabled $false", StringComparison.Ordinal));
        Assert.Contains(with, f => f is { Severity: PreflightSeverity.Warning, Subject: "CloudTrail" } && f.Message.Contains("of-the-organisation", StringComparison.Ordinal));

        for (var i = 0; i < 4; i++)
        {
            await trails.CreateTrailAsync(new Amazon.CloudTrail.Model.CreateTrailRequest { Name = $"more-{i}", S3BucketName = "trails-of-the-organisation" }, Stop);
        }

        var full = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop);
        Assert.Contains(full, f => f is { Severity: PreflightSeverity.Error, Subject: "CloudTrail" } && f.Message.Contains("5 trails", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_database_class_that_the_region_lacks_is_refused_before_anything_is_made()
    {
        harness.UseShippedTemplates();
        var ada = harness.Operator();
        var careful = new EnvironmentOperations(harness.Aws, ada.Operations.Options with { Preflight = true }, ada);
        var spec = EnvironmentHarness.Spec.With(nameof(DatabaseSpec.DatabaseInstanceClass), "db.z9.huge");
        var refusal = await Assert.ThrowsAsync<OperationException>(() => careful.PrepareCreateAsync(spec, preview: false, resume: false, Stop));
        Assert.Equal("PreflightFailed", refusal.ErrorId);
        Assert.Contains("RDS does not offer this in us-east-1", refusal.Message, StringComparison.Ordinal);
        Assert.Empty((await harness.CloudFormation.DescribeStacksAsync(new Amazon.CloudFormation.Model.DescribeStacksRequest(), Stop)).Stacks ?? []);
    }

    [Fact]
    public async Task Code_of_functions_that_is_not_there_and_concurrency_that_Lambda_keeps_are_errors()
    {
        harness.Edit("main.yaml", "\nOutputs:\n", """

              FromImage: { Type: AWS::Lambda::Function, Properties: { PackageType: Image, Role: r, Code: { ImageUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/nothing:1' } } }
              FromPackage: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.13, Handler: a.b, Role: r, Code: { S3Bucket: releases-of-functions, S3Key: one.zip }, ReservedConcurrentExecutions: 901 } }
            Outputs:

            """);
        var before = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop);
        Assert.Contains(before, f => f is { Severity: PreflightSeverity.Error, Check: PreflightCheck.Image, Subject: "123456789012.dkr.ecr.us-east-1.amazonaws.com/nothing:1" });
        Assert.Contains(before, f => f is { Severity: PreflightSeverity.Error, Check: PreflightCheck.Image, Subject: "s3://releases-of-functions/one.zip" });
        var concurrency = Assert.Single(before, f => f is { Severity: PreflightSeverity.Error, Subject: "Lambda concurrency" });
        Assert.Contains("901 are to be reserved of 1000", concurrency.Message, StringComparison.Ordinal);
        Assert.Contains("Lower -LambdaReservedConcurrency to 900", concurrency.Remedy, StringComparison.Ordinal);
        Assert.Contains("--desired-value 1001", concurrency.Remedy, StringComparison.Ordinal);

        await harness.S3.PutBucketAsync("releases-of-functions", Stop);
        await harness.S3.PutObjectAsync(new Amazon.S3.Model.PutObjectRequest { BucketName = "releases-of-functions", Key = "one.zip", ContentBody = "zip" }, Stop);
        harness.Edit("main.yaml", "ReservedConcurrentExecutions: 901", "ReservedConcurrentExecutions: 900");
        var after = await harness.Operator().Operations.PreflightAsync(EnvironmentHarness.Spec, thorough: false, Stop);
        Assert.Contains(after, f => f is { Severity: PreflightSeverity.Passed, Subject: "s3://releases-of-functions/one.zip" });
        Assert.Contains(after, f => f is { Severity: PreflightSeverity.Passed, Subject: "Lambda concurrency" });
    }

    [Theory]
    [InlineData("arn:aws:sts::123456789012:assumed-role/Deployer/session", "arn:aws:iam::123456789012:role/Deployer")]
    [InlineData("arn:aws:iam::123456789012:user/ada", "arn:aws:iam::123456789012:user/ada")]
    [InlineData("arn:aws:iam::123456789012:root", null)]
    public void The_policies_of_a_session_are_those_of_its_role(string caller, string? principal) => Assert.Equal(principal, Preflight.Principal(caller));
}
