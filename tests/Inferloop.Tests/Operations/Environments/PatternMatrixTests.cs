using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Every stage with every pattern, as the presets have them: created, changed and removed on the sandbox with the templates that ship.</summary>
public sealed class PatternMatrixTests
{
    public static TheoryData<EnvironmentStage, DeploymentPattern> Combinations()
    {
        var data = new TheoryData<EnvironmentStage, DeploymentPattern>();
        foreach (var stage in Enum.GetValues<EnvironmentStage>())
        {
            foreach (var pattern in Enum.GetValues<DeploymentPattern>())
            {
                data.Add(stage, pattern);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Comes_up_healthy_is_changed_and_goes(EnvironmentStage stage, DeploymentPattern pattern)
    {
        using var module = new ModuleFixture();
        module.Invoke("Start-InferloopSandbox -ClockRate 7200").EnsureSuccess();
        try
        {
            var created = module.Invoke($"New-InferloopEnvironment demo {stage} -Pattern {pattern}").Single();
            Assert.Equal("CREATE_COMPLETE", created.Properties["Status"].Value);
            Assert.Equal("Healthy", module.Invoke("\"$((Get-InferloopEnvironment demo).Health)\"").Single<string>());
            Assert.Equal("0", module.Invoke("\"$(@(Get-InferloopDrift demo).Count)\"").Single<string>());

            // The spec that is read back is the spec that was given: an update without a change has nothing to do.
            Assert.True(module.Invoke($"(New-InferloopEnvironmentSpec demo {stage} -Pattern {pattern}).Equals((Get-InferloopEnvironment demo).Spec)").Single<bool>());
            var parts = module.Invoke("Get-InferloopEnvironmentComponent demo").EnsureSuccess().Output;
            Assert.All(parts, p => Assert.Equal("Healthy", p.Properties["Health"].Value.ToString()));
            var updated = module.Invoke("Set-InferloopEnvironment demo -ApplicationLogRetentionDays 60 -LogLevel Warning -PassThru").Single();
            Assert.Equal("UPDATE_COMPLETE", updated.Properties["Status"].Value);

            if (pattern == DeploymentPattern.Container)
            {
                var refusal = module.Invoke("Set-InferloopEnvironment demo -DatabaseInstanceClass db.z9.huge -Confirm:$false").Refusal();
                Assert.StartsWith("PreflightFailed", refusal.FullyQualifiedErrorId, StringComparison.Ordinal);
                Assert.Equal("UPDATE_COMPLETE", module.Invoke("(Get-InferloopEnvironment demo -SkipHealth).Status").Single<string>());
            }

            // Production is protected, and its data outlives it unless the user says otherwise.
            module.Invoke("Set-InferloopEnvironment demo -DeletionProtection $false -Confirm:$false").EnsureSuccess();
            var removed = module.Invoke("Remove-InferloopEnvironment demo -DeleteData -Confirm:$false").Single();
            Assert.Empty((System.Collections.IEnumerable)removed.Properties["Retained"].Value);
            Assert.Empty(module.Invoke("Get-InferloopEnvironment").EnsureSuccess().Output);
        }
        finally
        {
            module.Invoke("Stop-InferloopSandbox");
        }
    }
}
