using Amazon.CDK;
using Constructs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Cdk;

/// <summary>
/// A stack that is an environment: named, tagged and protected as New-InferloopEnvironment would, so that the cmdlets find and
/// look after what <c>cdk deploy</c> made.
/// </summary>
public class InferloopStack : Stack
{
    /// <summary>Makes the stack with its one <see cref="Platform"/>.</summary>
    /// <param name="scope">The app or stage.</param>
    /// <param name="spec">The environment.</param>
    /// <param name="synthesizer">How assets and roles are bootstrapped; default the app's.</param>
    public InferloopStack(Construct scope, InferloopEnvironmentSpec spec, IReusableStackSynthesizer? synthesizer = null)
        : base(scope, (spec ?? throw new ArgumentNullException(nameof(spec))).StackName, new StackProps
        {
            StackName = spec.StackName,
            Env = new Amazon.CDK.Environment { Region = spec.Region, Account = System.Environment.GetEnvironmentVariable("CDK_DEFAULT_ACCOUNT") },
            TerminationProtection = spec.Security.DeletionProtection,
            Synthesizer = synthesizer,
            Tags = EnvironmentPlan.TagsOf(spec).ToDictionary(t => t.Key, t => t.Value),
        }) =>
        Platform = new InferloopPlatform(this, "Platform", new InferloopPlatformProps { Spec = spec });

    /// <summary>The environment in this stack.</summary>
    public InferloopPlatform Platform { get; }
}
