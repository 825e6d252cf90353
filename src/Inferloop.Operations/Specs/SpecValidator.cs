using System.Text.RegularExpressions;

namespace Inferloop.Operations.Specs;

/// <summary>Checks a spec as far as that can be done without AWS, and reports everything at once.</summary>
internal sealed partial class SpecValidator
{
    private static readonly Regex ImageWithDigest = new("@sha256:[0-9a-f]{64}$", RegexOptions.CultureInvariant);
    private readonly InferloopEnvironmentSpec spec;
    private readonly RegionFacts regions;
    private readonly List<InferloopSpecFinding> findings = [];

    private readonly DateOnly today;

    private SpecValidator(InferloopEnvironmentSpec spec, RegionFacts regions, DateOnly today) => (this.spec, this.regions, this.today) = (spec, regions, today);

    /// <summary>Everything that is wrong with a spec, or will be.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="regions">What is known of the regions.</param>
    /// <param name="today">The day by which ends of support are judged; today by default.</param>
    public static IReadOnlyList<InferloopSpecFinding> Validate(InferloopEnvironmentSpec spec, RegionFacts? regions = null, DateOnly? today = null)
    {
        var validator = new SpecValidator(spec, regions ?? RegionFacts.Default, today ?? DateOnly.FromDateTime(DateTime.UtcNow));
        validator.Bounds();
        validator.Names();
        validator.Region();
        validator.Network();
        validator.Tasks();
        validator.Application();
        validator.Database();
        validator.Cache();
        validator.Batch();
        validator.Lambda();
        validator.Eks();
        validator.Storage();
        validator.Watching();
        validator.Delivery();
        validator.Releases();
        validator.Versions();
        validator.Vpn();
        validator.Recovery();
        validator.Tags();
        return validator.findings.OrderBy(f => f.Severity).ThenBy(f => f.Line).ToList();
    }

    private void Bounds()
    {
        foreach (var member in SpecMembers.All)
        {
            var value = member.Get(spec);
            var b = member.Bounds;
            if (value is int n)
            {
                if (b.Values is not null && !b.Values.Contains(n))
                {
                    var near = b.Values.OrderBy(v => Math.Abs((long)v - n)).First();
                    Error("ValueNotAllowed", member.Path, $"{n} is not one of the values that '{member.Path}' takes: {string.Join(", ", b.Values)}.", $"Take {near}.");
                }
                else if (n < b.Minimum || n > b.Maximum)
                {
                    Error("ValueOutOfRange", member.Path, $"'{member.Path}' is {n}; it takes {b.Minimum} to {b.Maximum} {b.Unit}.".Replace("  ", " ", StringComparison.Ordinal), $"Give a number from {b.Minimum} to {b.Maximum}.");
                }
            }
            else if (value is string s && b.Pattern is not null && !(b.Optional && s.Length == 0) && !Regex.IsMatch(s, b.Pattern, RegexOptions.CultureInvariant))
            {
                Error(member.Name == "Name" ? "NamePattern" : "ValuePattern", member.Path, $"'{s}' is not {b.PatternMeaning}.", $"Give {b.PatternMeaning}.");
            }
        }
    }

    private void Names()
    {
        if (spec.Name.EndsWith('-') || spec.Name.Contains("--", StringComparison.Ordinal))
        {
            Error("NamePattern", "name", $"'{spec.Name}' ends with a hyphen or has two in a row; names of load balancers and buckets made from it would be refused.", "Use single hyphens inside the name.");
        }

        foreach (var (what, limit, name) in DerivedNames(spec))
        {
            if (name.Length > limit)
            {
                Error("DerivedNameTooLong", "name", $"The {what} would be named '{name}' ({name.Length} characters); the limit is {limit}.", $"Shorten the name by {name.Length - limit}.");
            }
        }
    }

    /// <summary>Names of resources that are made from the environment's, with the limits of their services.</summary>
    internal static IEnumerable<(string What, int Limit, string Name)> DerivedNames(InferloopEnvironmentSpec spec)
    {
        var stage = spec.Stage.ToString().ToLowerInvariant();
        yield return ("load balancer", 32, $"il-{spec.Name}-{stage}");
        yield return ("target group", 32, $"{spec.Name}-{stage}-{spec.Application.ContainerPort}");
        yield return ("cluster", 255, $"{spec.Name}-{stage}");
        yield return ("key alias", 256, $"alias/inferloop-{spec.Name}-{stage}");
        yield return ("root stack", 128, spec.StackName);
    }

    private void Region()
    {
        var known = regions.Find(spec.Region);
        if (known is null)
        {
            Error("RegionUnknown", "region", $"'{spec.Region}' is no AWS region.{Suggestion.For(spec.Region, regions.All.Select(r => r.Name))}", "Give a region such as us-east-1.");
        }
        else
        {
            foreach (var service in RegionFacts.RequiredServices.Intersect(known.Without))
            {
                Error("RegionLacksService", "region", $"{known.Name} ({known.Title}) does not offer {service}, which an environment needs.", "Choose another region.");
            }
        }

        if (spec.RecoveryRegion.Length == 0)
        {
            return;
        }

        var recovery = regions.Find(spec.RecoveryRegion);
        if (recovery is null)
        {
            Error("RegionUnknown", "recoveryRegion", $"'{spec.RecoveryRegion}' is no AWS region.{Suggestion.For(spec.RecoveryRegion, regions.All.Select(r => r.Name))}", "Give a region such as us-west-2.");
        }
        else if (spec.RecoveryRegion == spec.Region)
        {
            Error("RecoveryRegionSame", "recoveryRegion", "The recovery region is the environment's own; losing it would lose both.", "Choose another region, or none.");
        }
        else if (known is not null && recovery.Partition != known.Partition)
        {
            Error("RecoveryRegionPartition", "recoveryRegion", $"{recovery.Name} is in the partition {recovery.Partition}, {known.Name} in {known.Partition}; nothing can be replicated between them.", "Choose a region of the same partition.");
        }
    }

    private void Network()
    {
        var vpcPath = "network.vpcCidr";
        var vpcGood = Cidr.TryParse(spec.Network.VpcCidr, out var vpc, out var problem);
        if (!vpcGood)
        {
            Error("CidrInvalid", vpcPath, $"'{spec.Network.VpcCidr}' {problem}.", "Give a private IPv4 range, /16 to /25.");
        }
        else
        {
            if (vpc.Prefix > 25)
            {
                Error("CidrTooSmall", vpcPath, $"{vpc} has {vpc.Size} addresses; four subnets of at least 16 do not fit beside room to grow.", "Give the VPC a /25 or larger.");
            }
            else if (vpc.Prefix < 16)
            {
                Error("CidrTooLarge", vpcPath, $"{vpc} is larger than a VPC may be.", "Give the VPC a /16 or smaller.");
            }

            if (!Private.Any(p => p.Contains(vpc)))
            {
                Warning("CidrPublic", vpcPath, $"{vpc} is not a private range (RFC 1918 or 100.64.0.0/10); hosts of the internet with these addresses become unreachable.", "Take a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.");
            }
        }

        if (!Cidr.TryParse(spec.Network.ClientCidr, out _, out problem))
        {
            Error("CidrInvalid", "network.clientCidr", $"'{spec.Network.ClientCidr}' {problem}.", "Give an IPv4 range; 0.0.0.0/0 is everyone.");
        }

        var subnets = new List<(string Path, Cidr Range)>();
        foreach (var member in SpecPresets.SubnetNames.Select(n => SpecMembers.Require(n)))
        {
            var text = (string)member.Get(spec);
            if (!Cidr.TryParse(text, out var range, out problem))
            {
                Error("CidrInvalid", member.Path, $"'{text}' {problem}.", "Give an IPv4 range inside the VPC, /16 to /28.");
                continue;
            }

            if (range.Prefix > 28)
            {
                Error("CidrTooSmall", member.Path, $"{range} has {range.Size} addresses; a subnet has at least 16, five of which AWS keeps.", "Give the subnet a /28 or larger.");
            }
            else if (range.Prefix > 27 && member.Name.StartsWith("Public", StringComparison.Ordinal))
            {
                Error("CidrTooSmall", member.Path, $"{range} is too small for a load balancer, whose subnets need a /27 with 8 free addresses.", "Give the public subnet a /27 or larger.");
            }

            if (vpcGood && !vpc.Contains(range))
            {
                Error("CidrOutsideVpc", member.Path, $"{range} is not inside the VPC's {vpc}.", $"Take a range inside {vpc}.");
            }

            foreach (var other in subnets.Where(o => o.Range.Overlaps(range)))
            {
                Error("CidrOverlap", member.Path, $"{range} overlaps {other.Range} of '{other.Path}'.", "Give each subnet a range of its own.");
            }

            subnets.Add((member.Path, range));
        }

        // A task takes one address, a rolling deployment doubles them for a while, AWS keeps five in each subnet.
        var room = subnets.Where(s => s.Path.Contains("private", StringComparison.Ordinal)).Sum(s => (long)s.Range.Size - 5);
        var instances = spec.Ecs.CapacityMode is CapacityMode.Ec2 or CapacityMode.Mixed ? spec.Ecs.Ec2MaximumInstances : 0;
        var needed = (2L * spec.Ecs.MaximumTasks) + instances;
        if (subnets.Count == 4 && needed > room)
        {
            Error("CidrTooSmall", "network.privateSubnet1Cidr", $"The private subnets have {room} usable addresses; {spec.Ecs.MaximumTasks} tasks, doubled during a deployment, and {instances} container instances need {needed}.", "Enlarge the private subnets or lower ecs.maximumTasks.");
        }

        if (spec.Stage == EnvironmentStage.Prod && spec.Network.NatGatewayMode == NatGatewayMode.Single)
        {
            Warning("SingleNatInProduction", "network.natGatewayMode", "One NAT gateway serves both zones: a failure of its zone cuts outbound access of the other.", "Set PerAz.");
        }
    }

    private static readonly Cidr[] Private = [Range("10.0.0.0/8"), Range("172.16.0.0/12"), Range("192.168.0.0/16"), Range("100.64.0.0/10")];

    private static Cidr Range(string text) => Cidr.TryParse(text, out var cidr, out _) ? cidr : throw new FormatException(text);

    private void Tasks()
    {
        var ecs = spec.Ecs;
        if (!ecs.EcsEnabled)
        {
            return;
        }

        if (!FargateSizes.IsOffered(ecs.TaskCpu, ecs.TaskMemory) && FargateSizes.MemoryFor(ecs.TaskCpu) is { } memory)
        {
            Error("FargateSize", "ecs.taskMemory", $"Fargate offers no task of {ecs.TaskCpu} CPU units with {ecs.TaskMemory} MiB; with {ecs.TaskCpu} it offers {memory}.", $"Set ecs.taskMemory to {FargateSizes.NearestMemory(ecs.TaskCpu, ecs.TaskMemory)}, or change ecs.taskCpu.");
        }

        if (ecs.MinimumTasks > ecs.MaximumTasks)
        {
            Error("TaskRange", "ecs.minimumTasks", $"The least number of tasks ({ecs.MinimumTasks}) is above the greatest ({ecs.MaximumTasks}).", "Lower ecs.minimumTasks or raise ecs.maximumTasks.");
        }
        else if (ecs.DesiredTasks < ecs.MinimumTasks || ecs.DesiredTasks > ecs.MaximumTasks)
        {
            Error("TaskRange", "ecs.desiredTasks", $"The desired number of tasks ({ecs.DesiredTasks}) is not between {ecs.MinimumTasks} and {ecs.MaximumTasks}.", $"Give a number from {ecs.MinimumTasks} to {ecs.MaximumTasks}.");
        }

        if (ecs.Ec2MinimumInstances > ecs.Ec2MaximumInstances)
        {
            Error("InstanceRange", "ecs.ec2MinimumInstances", $"The least number of container instances ({ecs.Ec2MinimumInstances}) is above the greatest ({ecs.Ec2MaximumInstances}).", "Lower ecs.ec2MinimumInstances or raise ecs.ec2MaximumInstances.");
        }

        Schedule("TaskSchedule", "ecs.taskScalingSchedule", ecs.TaskScalingSchedule, 5000);

        if (spec.Stage == EnvironmentStage.Prod && ecs.CapacityMode == CapacityMode.FargateSpot)
        {
            Warning("SpotInProduction", "ecs.capacityMode", "Spot tasks are taken away with two minutes' notice.", "Set Fargate, or Mixed.");
        }

        if (spec.Stage == EnvironmentStage.Prod && ecs.MinimumTasks < 2)
        {
            Warning("SingleTaskInProduction", "ecs.minimumTasks", "With one task, a deployment or a failed zone interrupts the service.", "Set at least 2.");
        }

        var size = SpecPresets.Size(spec.Application.ServiceTier);
        if (ecs.TaskCpu < size.Cpu || ecs.TaskMemory < size.Memory)
        {
            Warning("BelowTier", "application.serviceTier", $"Tasks of {ecs.TaskCpu} CPU units and {ecs.TaskMemory} MiB are smaller than the tier {spec.Application.ServiceTier} promises ({size.Cpu}, {size.Memory}).", "Enlarge the tasks or lower the tier.");
        }
    }

    private void Application()
    {
        if (spec.Stage == EnvironmentStage.Prod && spec.Application.ContainerImage.EndsWith(":latest", StringComparison.Ordinal) && !ImageWithDigest.IsMatch(spec.Application.ContainerImage))
        {
            Information("MovingImageTag", "application.containerImage", "The tag 'latest' moves: two tasks of one service can run different images.", "Name a version, or a digest.");
        }

        var arn = spec.Security.CertificateArn;
        if (arn.Length == 0)
        {
            if (spec.Stage == EnvironmentStage.Prod && spec.Ecs.EcsEnabled)
            {
                Warning("NoCertificate", "security.certificateArn", "Without a certificate the load balancer serves plain HTTP.", "Request a certificate in ACM and give its ARN.");
            }

            return;
        }

        var match = Regex.Match(arn, "^arn:(aws[a-z-]*):acm:([a-z0-9-]+):([0-9]{12}):certificate/[A-Za-z0-9-]+$", RegexOptions.CultureInvariant);
        if (!match.Success)
        {
            Error("CertificateArn", "security.certificateArn", $"'{arn}' is not the ARN of an ACM certificate.", "Give arn:aws:acm:REGION:ACCOUNT:certificate/ID.");
        }
        else if (match.Groups[2].Value != spec.Region)
        {
            Error("CertificateRegion", "security.certificateArn", $"The certificate is in {match.Groups[2].Value}; a load balancer in {spec.Region} can use only one of its own region.", $"Request or import the certificate in {spec.Region}.");
        }
    }

    private void Tags()
    {
        if (spec.Tags.Count > 40)
        {
            Error("TooManyTags", "tags", $"{spec.Tags.Count} tags; a resource takes 50, some of which the module and AWS set.", "Keep at most 40.");
        }

        foreach (var (key, value) in spec.Tags)
        {
            if (key.Length is 0 or > 128 || value.Length > 256)
            {
                Error("TagLength", "tags." + key, "A tag's key has 1 to 128 characters, its value at most 256.", "Shorten it.");
            }
            else if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase) || key.StartsWith(EnvironmentTags.Prefix, StringComparison.OrdinalIgnoreCase))
            {
                Error("TagReserved", "tags." + key, $"Tags that begin with aws: or {EnvironmentTags.Prefix} are reserved.", "Choose another key.");
            }
        }
    }

    private void Error(string rule, string member, string message, string recommendation) => Add(SpecFindingSeverity.Error, rule, member, message, recommendation);

    private void Warning(string rule, string member, string message, string recommendation) => Add(SpecFindingSeverity.Warning, rule, member, message, recommendation);

    private void Information(string rule, string member, string message, string recommendation) => Add(SpecFindingSeverity.Information, rule, member, message, recommendation);

    private void Add(SpecFindingSeverity severity, string rule, string member, string message, string recommendation)
    {
        var at = spec.Origin.Find(member);
        findings.Add(new InferloopSpecFinding
        {
            Severity = severity, Rule = rule, Member = member, Message = message, Recommendation = recommendation,
            File = spec.Origin.File, Line = at?.Line ?? 0, Column = at?.Column ?? 0,
        });
    }
}
