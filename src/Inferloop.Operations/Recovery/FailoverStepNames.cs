namespace Inferloop.Operations.Recovery;

/// <summary>The steps there are.</summary>
internal static class FailoverStepNames
{
    public const string Reseed = "Reseed";
    public const string CatchUp = "CatchUp";
    public const string Assess = "Assess";
    public const string Fence = "Fence";
    public const string Drain = "Drain";
    public const string Database = "Database";
    public const string Cache = "Cache";
    public const string Table = "Table";
    public const string Bucket = "Bucket";
    public const string Secrets = "Secrets";
    public const string Compute = "Compute";
    public const string Verify = "Verify";
    public const string Dns = "Dns";
    public const string Announce = "Announce";
    public const string Source = "Source";
}
