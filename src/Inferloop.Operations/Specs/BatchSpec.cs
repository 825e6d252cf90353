namespace Inferloop.Operations.Specs;

/// <summary>Jobs on AWS Batch: managed EC2 and Spot instances that exist while there are jobs. Both compute environments have the same bounds.</summary>
public sealed record BatchSpec
{
    /// <summary>Whether jobs run on AWS Batch. Default false.</summary>
    [SpecMember(Summary = "jobs on AWS Batch")]
    public bool BatchEnabled { get; init; }

    /// <summary>Instance types or families, comma-separated; optimal lets Batch choose among the C, M and R families. Default optimal.</summary>
    [SpecMember(Pattern = "^[a-z][a-z0-9.-]*(,[a-z][a-z0-9.-]*)*$", PatternMeaning = "instance types or families such as optimal or c6i,m6i.large", Summary = "comma-separated types or families")]
    public string BatchInstanceTypes { get; init; } = "optimal";

    /// <summary>vCPUs that each compute environment keeps without jobs, 0 to 256. Default 0, which costs nothing when idle.</summary>
    [SpecMember(Minimum = 0, Maximum = 256, Unit = "vCPUs", Summary = "kept without jobs, in each compute environment")]
    public int BatchMinimumVcpus { get; init; }

    /// <summary>vCPUs that each compute environment grows to, 1 to 256. Default 256.</summary>
    [SpecMember(Minimum = 1, Maximum = 256, Unit = "vCPUs", Summary = "the most of each compute environment")]
    public int BatchMaximumVcpus { get; init; } = 256;

    /// <summary>Most that a Spot instance may cost, in percent of the on-demand price, 1 to 100. Default 100.</summary>
    [SpecMember(Minimum = 1, Maximum = 100, Unit = "%", Summary = "of the on-demand price, for Spot instances")]
    public int BatchSpotPercent { get; init; } = 100;

    /// <summary>Encrypted root volume of an instance in GiB, 30 to 16384. Default 100.</summary>
    [SpecMember(Minimum = 30, Maximum = 16384, Unit = "GiB")]
    public int BatchVolumeSize { get; init; } = 100;

    /// <summary>vCPUs of a job, 1 to 192. Default 2.</summary>
    [SpecMember(Minimum = 1, Maximum = 192, Unit = "vCPUs")]
    public int BatchJobVcpus { get; init; } = 2;

    /// <summary>Memory of a job in MiB, 128 to 1572864. Default 4096.</summary>
    [SpecMember(Minimum = 128, Maximum = 1572864, Unit = "MiB")]
    public int BatchJobMemory { get; init; } = 4096;

    /// <summary>Times that a job is tried when its host is lost, 1 to 10. Default 3.</summary>
    [SpecMember(Minimum = 1, Maximum = 10, Unit = "attempts", Summary = "when the host is lost")]
    public int BatchJobAttempts { get; init; } = 3;

    /// <summary>Seconds after which an attempt is ended, 60 to 1209600. Default 14400.</summary>
    [SpecMember(Minimum = 60, Maximum = 1209600, Unit = "seconds", Summary = "after which an attempt is ended")]
    public int BatchJobTimeout { get; init; } = 14400;
}
