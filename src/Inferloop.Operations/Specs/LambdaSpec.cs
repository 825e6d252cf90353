namespace Inferloop.Operations.Specs;

/// <summary>The function on AWS Lambda that processes data, and what calls it.</summary>
public sealed record LambdaSpec
{
    /// <summary>Whether a function processes data. Default false; true for the pattern Serverless.</summary>
    [SpecMember(Summary = "a function on AWS Lambda")]
    public bool LambdaEnabled { get; init; }

    /// <summary>Anything that names a release; another value publishes another version from the same code, such as an overwritten package. Default 1.</summary>
    [SpecMember(Pattern = @"^[A-Za-z0-9._-]{1,32}$", PatternMeaning = "1 to 32 letters, digits, dots, hyphens and underscores")]
    public string LambdaRelease { get; init; } = "1";

    /// <summary>Image of the function in ECR, by tag or digest; empty for a package. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[A-Za-z0-9._/-]{1,60}[:@][A-Za-z0-9:._-]{1,72}$", PatternMeaning = "the URI of an image in ECR")]
    public string LambdaImage { get; init; } = "";

    /// <summary>While a release shifts calls, the old version and the share of calls that the newest has, such as 7:0.20; empty otherwise. Releases set it. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^\d{1,9}:0\.\d{2}$", PatternMeaning = "the number of a version, a colon and a share with two decimals", Summary = "set by releases while they shift calls")]
    public string LambdaShift { get; init; } = "";

    /// <summary>Bucket with the function's package; empty for the code that comes with the template. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", PatternMeaning = "the name of a bucket")]
    public string LambdaCodeBucket { get; init; } = "";

    /// <summary>Key of the package in that bucket, 1 to 100 characters. Default function.zip.</summary>
    [SpecMember(Pattern = @"^[A-Za-z0-9!_.*()/-]{1,100}$", PatternMeaning = "an object key of at most 100 characters")]
    public string LambdaCodeKey { get; init; } = "function.zip";

    /// <summary>Runtime of a package. Default python3.13.</summary>
    [SpecMember]
    public LambdaRuntime LambdaRuntime { get; init; } = LambdaRuntime.Python313;

    /// <summary>Handler in a package, file.function. Default index.handler.</summary>
    [SpecMember(Pattern = @"^[A-Za-z0-9_./-]{1,40}$", PatternMeaning = "file.function, at most 40 characters")]
    public string LambdaHandler { get; init; } = "index.handler";

    /// <summary>Instruction set, x86_64 or arm64. Default x86_64.</summary>
    [SpecMember]
    public LambdaArchitecture LambdaArchitecture { get; init; }

    /// <summary>Memory of the function in MB, 128 to 10240. Default 3008.</summary>
    [SpecMember(Minimum = 128, Maximum = 10240, Unit = "MB")]
    public int LambdaMemory { get; init; } = 3008;

    /// <summary>Seconds that a call may take, 1 to 900. Default 900.</summary>
    [SpecMember(Minimum = 1, Maximum = 900, Unit = "seconds")]
    public int LambdaTimeout { get; init; } = 900;

    /// <summary>Size of /tmp in MB, 512 to 10240. Default 10240.</summary>
    [SpecMember(Minimum = 512, Maximum = 10240, Unit = "MB")]
    public int LambdaEphemeralStorage { get; init; } = 10240;

    /// <summary>Calls at once that the function may have and no other may take, 0 to 10000; 0 shares the account's. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 10000, Unit = "calls")]
    public int LambdaReservedConcurrency { get; init; }

    /// <summary>Calls at once that are kept ready, 0 to 10000; 0 for none. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 10000, Unit = "calls")]
    public int LambdaProvisionedConcurrency { get; init; }

    /// <summary>Most calls at once that scaling keeps ready, 0 to 10000; 0 keeps LambdaProvisionedConcurrency fixed. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 10000, Unit = "calls", Summary = "the most kept ready; 0 keeps lambdaProvisionedConcurrency fixed")]
    public int LambdaProvisionedMaximum { get; init; }

    /// <summary>Use of the calls kept ready that scaling holds, 10 to 90 percent. Default 70.</summary>
    [SpecMember(Minimum = 10, Maximum = 90, Unit = "%", Summary = "use of the calls kept ready that scaling holds")]
    public int LambdaProvisionedTarget { get; init; } = 70;

    /// <summary>Times at which other bounds of the calls kept ready begin to hold, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = Scaling.ScalingSchedule.Pattern, PatternMeaning = Scaling.ScalingSchedule.Meaning, Summary = "times of other bounds: name|cron(...)|time zone|fewest|most;...")]
    public string LambdaScalingSchedule { get; init; } = "";

    /// <summary>What of the scaling of calls kept ready rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [SpecMember(Summary = "None, In, Out, Dynamic, Scheduled or All")]
    public ScalingSuspension LambdaScalingSuspended { get; init; }

    /// <summary>Whether the function is in the private subnets, for what can only be reached from there. Default false.</summary>
    [SpecMember]
    public bool LambdaInVpc { get; init; }

    /// <summary>Whether X-Ray traces calls. Default true.</summary>
    [SpecMember]
    public bool LambdaTracing { get; init; } = true;

    /// <summary>Whether Lambda Insights measures the function, where it is a package. Default true.</summary>
    [SpecMember]
    public bool LambdaInsights { get; init; } = true;

    /// <summary>Whether an HTTP API calls the function. Default true.</summary>
    [SpecMember]
    public bool LambdaHttpApi { get; init; } = true;

    /// <summary>When the function is called, rate(...) or cron(...) in UTC; empty for never. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^(rate|cron)\([^()]{1,100}\)$", PatternMeaning = "rate(...) or cron(...)")]
    public string LambdaSchedule { get; init; } = "";

    /// <summary>Whether new objects of the bucket call the function. Default true.</summary>
    [SpecMember]
    public bool LambdaBucketTrigger { get; init; } = true;

    /// <summary>Beginning of the keys of those objects; what the function writes must begin differently. Default input/.</summary>
    [SpecMember(Pattern = @"^[A-Za-z0-9!_.*()/-]{1,256}$", PatternMeaning = "the beginning of an object key")]
    public string LambdaBucketPrefix { get; init; } = "input/";

    /// <summary>Whether new items of the table call the function. Default true.</summary>
    [SpecMember]
    public bool LambdaTableTrigger { get; init; } = true;

    /// <summary>While a release shifts calls, the version that has the rest of them; empty otherwise.</summary>
    internal string StableVersion => LambdaShift.Split(':')[0];

    /// <summary>While a release shifts calls, the share of them in percent that the newest version has.</summary>
    internal int ShiftPercent => LambdaShift.Length == 0 ? 0 : int.Parse(LambdaShift.Split("0.")[^1], System.Globalization.CultureInfo.InvariantCulture);
}
