namespace Inferloop.Operations.Specs;

/// <summary>The tags by which the module knows what is its own.</summary>
internal static class EnvironmentTags
{
    public const string Prefix = "inferloop:";
    public const string Environment = "inferloop:environment";
    public const string Stage = "inferloop:stage";
    public const string ManagedBy = "inferloop:managed-by";
    public const string Component = "inferloop:component";
    public const string RecoveryRegion = "inferloop:recovery-region";
    public const string Manager = "inferloop";
}
