using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>The function on AWS Lambda.</content>
public sealed partial class SpecParameters
{
    /// <summary>Whether a function processes data. Default false; true for the pattern Serverless.</summary>
    [Parameter]
    public bool? LambdaEnabled { get; set; }

    /// <summary>Anything that names a release; another value publishes another version from the same code, such as an overwritten package. Default 1.</summary>
    [Parameter]
    public string? LambdaRelease { get; set; }

    /// <summary>Image of the function in ECR, by tag or digest; empty for a package. Default empty.</summary>
    [Parameter]
    public string? LambdaImage { get; set; }

    /// <summary>While a release shifts calls, the old version and the share of calls that the newest has, such as 7:0.20; empty otherwise. Releases set it. Default empty.</summary>
    [Parameter]
    public string? LambdaShift { get; set; }

    /// <summary>Bucket with the function's package; empty for the code that comes with the template. Default empty.</summary>
    [Parameter]
    public string? LambdaCodeBucket { get; set; }

    /// <summary>Key of the package in that bucket, 1 to 100 characters. Default function.zip.</summary>
    [Parameter]
    public string? LambdaCodeKey { get; set; }

    /// <summary>Runtime of a package. Default python3.13.</summary>
    [Parameter]
    public LambdaRuntime? LambdaRuntime { get; set; }

    /// <summary>Handler in a package, file.function. Default index.handler.</summary>
    [Parameter]
    public string? LambdaHandler { get; set; }

    /// <summary>Instruction set, x86_64 or arm64. Default x86_64.</summary>
    [Parameter]
    public LambdaArchitecture? LambdaArchitecture { get; set; }

    /// <summary>Memory of the function in MB, 128 to 10240. Default 3008.</summary>
    [Parameter]
    public int? LambdaMemory { get; set; }

    /// <summary>Seconds that a call may take, 1 to 900. Default 900.</summary>
    [Parameter]
    public int? LambdaTimeout { get; set; }

    /// <summary>Size of /tmp in MB, 512 to 10240. Default 10240.</summary>
    [Parameter]
    public int? LambdaEphemeralStorage { get; set; }

    /// <summary>Calls at once that the function may have and no other may take, 0 to 10000; 0 shares the account's. Default 0.</summary>
    [Parameter]
    public int? LambdaReservedConcurrency { get; set; }

    /// <summary>Calls at once that are kept ready, 0 to 10000; 0 for none. Default 0.</summary>
    [Parameter]
    public int? LambdaProvisionedConcurrency { get; set; }

    /// <summary>Whether the function is in the private subnets, for what can only be reached from there. Default false.</summary>
    [Parameter]
    public bool? LambdaInVpc { get; set; }

    /// <summary>Whether X-Ray traces calls. Default true.</summary>
    [Parameter]
    public bool? LambdaTracing { get; set; }

    /// <summary>Whether Lambda Insights measures the function, where it is a package. Default true.</summary>
    [Parameter]
    public bool? LambdaInsights { get; set; }

    /// <summary>Whether an HTTP API calls the function. Default true.</summary>
    [Parameter]
    public bool? LambdaHttpApi { get; set; }

    /// <summary>When the function is called, rate(...) or cron(...) in UTC; empty for never. Default empty.</summary>
    [Parameter]
    public string? LambdaSchedule { get; set; }

    /// <summary>Whether new objects of the bucket call the function. Default true.</summary>
    [Parameter]
    public bool? LambdaBucketTrigger { get; set; }

    /// <summary>Beginning of the keys of those objects; what the function writes must begin differently. Default input/.</summary>
    [Parameter]
    public string? LambdaBucketPrefix { get; set; }

    /// <summary>Whether new items of the table call the function. Default true.</summary>
    [Parameter]
    public bool? LambdaTableTrigger { get; set; }
}
