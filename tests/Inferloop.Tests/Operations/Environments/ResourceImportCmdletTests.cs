using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Import-InferloopResource in a session, with the environment that ships.</summary>
public sealed class ResourceImportCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();

    public ResourceImportCmdletTests() => module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
    }

    [Fact]
    public void What_an_environment_left_goes_down_the_pipeline_into_a_stack_of_its_own()
    {
        module.Invoke("New-InferloopEnvironment demo | Out-Null; $removed = Remove-InferloopEnvironment demo -Confirm:$false").EnsureSuccess();
        var kept = module.Invoke("@($removed.Retained | Where-Object Type -NotLike '*Snapshot').Count").Single<int>();
        Assert.True(kept >= 4, $"{kept} kept");
        var snapshots = module.Invoke("@($removed.Retained | Where-Object Type -Like '*Snapshot').Count").Single<int>();

        // The object itself, by its property; and its parts, one by one.
        var planned = module.Invoke("$removed | Import-InferloopResource demo-kept -WhatIf").EnsureSuccess();
        Assert.Equal(kept, planned.Output.Count);
        Assert.Equal(snapshots, planned.Warnings.Count(w => w.Contains("a snapshot stands in no stack", StringComparison.Ordinal)));
        Assert.All(planned.Output, r => Assert.Equal(("Planned", ""), (r.Properties["State"].Value.ToString(), (string)r.Properties["StackId"].Value)));
        var imported = module.Invoke("$removed.Retained | Import-InferloopResource demo-kept").EnsureSuccess();
        Assert.Equal(kept, imported.Output.Count);
        Assert.All(imported.Output, r => Assert.Equal(("Imported", "InSync"), (r.Properties["State"].Value.ToString(), r.Properties["Drift"].Value.ToString())));
        Assert.Contains(imported.Progress, p => p.Activity == "Importing into demo-kept");
        Assert.Contains(imported.Information, i => i.Contains("IMPORT_COMPLETE", StringComparison.Ordinal));

        var again = module.Invoke("$removed | Import-InferloopResource demo-kept -Verbose").EnsureSuccess();
        Assert.All(again.Output, r => Assert.Equal("AlreadyThere", r.Properties["State"].Value.ToString()));
        Assert.Contains(again.Verbose, v => v.Contains("has all of it already", StringComparison.Ordinal));

        // A name in a template of another stack: refused with the stack that has it.
        var file = Path.Combine(Path.GetTempPath(), $"import-{Guid.NewGuid():N}.yaml");
        File.WriteAllText(file, "Resources: { Table: { Type: AWS::DynamoDB::Table, DeletionPolicy: Retain, Properties: { KeySchema: [ { AttributeName: id, KeyType: HASH } ], AttributeDefinitions: [ { AttributeName: id, AttributeType: S } ], BillingMode: PAY_PER_REQUEST } } }\n");
        try
        {
            var owned = module.Invoke("$table = @($removed.Retained | Where-Object Type -eq 'AWS::DynamoDB::Table')[0].PhysicalId; Import-InferloopResource other $file @{ Table = $table }", new { file });
            Assert.StartsWith("ImportResourceOwned", owned.Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains("'demo-kept'", owned.Refusal().Exception.Message, StringComparison.Ordinal);
            var nothing = module.Invoke("Import-InferloopResource other $file @{ Table = '' }");
            Assert.StartsWith("ImportIdentifierInvalid", nothing.Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_long_template_goes_by_the_control_stacks_bucket_and_a_preview_makes_none()
    {
        module.Invoke("New-InferloopEnvironment demo | Out-Null; $removed = Remove-InferloopEnvironment demo -Confirm:$false").EnsureSuccess();
        var file = Path.Combine(Path.GetTempPath(), $"import-{Guid.NewGuid():N}.yaml");
        var name = module.Invoke("@($removed.Retained | Where-Object Type -eq 'AWS::S3::Bucket')[0].PhysicalId").Single<string>();
        File.WriteAllText(file, $"Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    Properties: {{ BucketName: {name} }}\n" + string.Concat(Enumerable.Repeat("# " + new string('x', 98) + "\n", 600)));
        try
        {
            Assert.Equal("Planned", module.Invoke("\"$((Import-InferloopResource long $file @{ Data = @{ BucketName = $name } } -WhatIf).State)\"", new { file, name }).Single<string>());
            Assert.Equal("Imported InSync", module.Invoke("$r = Import-InferloopResource long $file @{ Data = @{ BucketName = $name } }; \"$($r.State) $($r.Drift)\"").Single<string>());

            // Another region has no control stack, and a preview makes none.
            var elsewhere = module.Invoke("Import-InferloopResource long $file @{ Data = $name } -Region eu-west-1 -WhatIf");
            Assert.StartsWith("ImportPreviewNeedsControl", elsewhere.Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Nothing_kept_is_nothing_to_import()
    {
        var none = module.Invoke("@() | Import-InferloopResource demo-kept").EnsureSuccess();
        Assert.Empty(none.Output);
        Assert.StartsWith("FileNotFound", module.Invoke("Import-InferloopResource demo-kept nowhere.yaml @{ A = 'b' }").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }
}
