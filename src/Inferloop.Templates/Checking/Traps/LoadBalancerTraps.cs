namespace Inferloop.Templates;

/// <summary>Traffic that never arrives: listeners, target groups, health checks and security groups that do not fit each other.</summary>
internal static class LoadBalancerTraps
{
    private const string TargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup";

    public static readonly TrapRule PortTaken = new(
        "ListenerPortTaken", DiagnosticSeverity.Error, "Two listeners of one load balancer have one port",
        "Give each listener its own port, or make one of them a rule (AWS::ElasticLoadBalancingV2::ListenerRule) of the other.");

    public static readonly TrapRule TargetType = new(
        "TargetTypeOfTasks", DiagnosticSeverity.Error, "Tasks with a network interface of their own are in a target group of instances",
        "Set TargetType: ip at the target group; awsvpc tasks are registered by their addresses.");

    public static readonly TrapRule HealthCheck = new(
        "GroupHealthCheck", DiagnosticSeverity.Error, "An auto scaling group is checked by a load balancer on a port that its instances do not serve",
        "Set HealthCheckType: EC2, or let the instances serve and their security group admit the port of the health check.");

    public static readonly TrapRule Blocked = new(
        "LoadBalancerBlocked", DiagnosticSeverity.Error, "The tasks' security groups admit nothing from the load balancer",
        "Add an ingress rule with the load balancer's group as SourceSecurityGroupId on the container's port, and use that same group at the load balancer.");

    public static void Check(TrapContext context)
    {
        Listeners(context);
        foreach (var service in context.All("AWS::ECS::Service"))
        {
            Service(context, service);
        }

        foreach (var group in context.All("AWS::AutoScaling::AutoScalingGroup").Where(g => g.Properties["HealthCheckType"]?.AsString()?.Contains("ELB", StringComparison.Ordinal) == true))
        {
            Group(context, group);
        }
    }

    private static void Listeners(TrapContext context)
    {
        var seen = new List<EvaluatedResource>();
        foreach (var listener in context.All("AWS::ElasticLoadBalancingV2::Listener"))
        {
            var other = seen.Find(s => Value.Same(s.Properties["Port"], listener.Properties["Port"]) && TrapContext.SameThing(s.Properties["LoadBalancerArn"], listener.Properties["LoadBalancerArn"]));
            if (other is not null)
            {
                context.Report(PortTaken, $"Port {listener.Properties["Port"]} is taken by '{other.Path}' already.", listener, listener.Properties["Port"]);
            }

            seen.Add(listener);
        }
    }

    private static void Service(TrapContext context, EvaluatedResource service)
    {
        var task = context.From(service.Properties["TaskDefinition"], "AWS::ECS::TaskDefinition");
        if (task?.Properties["NetworkMode"]?.AsString() != "awsvpc")
        {
            return;
        }

        var groups = service.Properties["NetworkConfiguration"]?["AwsvpcConfiguration"]?["SecurityGroups"];
        foreach (var attached in service.Properties["LoadBalancers"]?.Items ?? [])
        {
            if (context.From(attached["TargetGroupArn"], TargetGroup) is not { } target)
            {
                continue;
            }

            if (target.Properties["TargetType"]?.AsString() is not "ip")
            {
                context.Report(TargetType, $"The tasks of '{service.Path}' use awsvpc; this target group is of type {target.Properties["TargetType"]?.AsString() ?? "instance"}.", target, target.Properties["TargetType"]);
            }

            if (groups is not null && attached["ContainerPort"] is { } port)
            {
                Admission(context, service, target, groups, port);
            }
        }
    }

    private static void Admission(TrapContext context, EvaluatedResource service, EvaluatedResource target, Value groups, Value port)
    {
        var balancers = context.All("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule")
            .Where(l => context.From(l.Properties["DefaultActions"]).Concat(context.From(l.Properties["Actions"])).Contains(target))
            .SelectMany(l => context.From(l.Properties["LoadBalancerArn"]).Concat(context.From(l.Properties["ListenerArn"]).SelectMany(p => context.From(p.Properties["LoadBalancerArn"]))))
            .Where(b => b.Type == "AWS::ElasticLoadBalancingV2::LoadBalancer").Distinct().ToList();
        var mine = context.From(groups).Where(g => g.Type == "AWS::EC2::SecurityGroup").ToList();
        foreach (var balancer in balancers)
        {
            var theirs = context.From(balancer.Properties["SecurityGroups"]).Where(g => g.Type == "AWS::EC2::SecurityGroup").ToList();
            if (mine.Count > 0 && theirs.Count > 0 && !mine.Exists(m => Ingress(context, m).Any(rule => Admits(context, rule, theirs, port))))
            {
                context.Report(Blocked, $"Nothing admits '{balancer.Path}' on port {port}; its groups are {string.Join(", ", theirs.Select(t => t.Path))}.", service, groups);
            }
        }
    }

    /// <summary>The ingress rules of a security group: its own and those that are resources.</summary>
    private static IEnumerable<Value> Ingress(TrapContext context, EvaluatedResource group) =>
        (group.Properties["SecurityGroupIngress"]?.Items ?? [])
            .Concat(context.All("AWS::EC2::SecurityGroupIngress").Where(r => context.From(r.Properties["GroupId"]).Contains(group)).Select(r => r.Properties));

    private static bool Admits(TrapContext context, Value rule, List<EvaluatedResource> sources, Value port) =>
        (rule["CidrIp"] is not null || rule["CidrIpv6"] is not null || context.From(rule["SourceSecurityGroupId"]).Any(sources.Contains))
        && (rule["IpProtocol"]?.AsString() == "-1" || !port.TryGetNumber(out var wanted) || rule["FromPort"] is not { } from || rule["ToPort"] is not { } to
            || !from.TryGetNumber(out var first) || !to.TryGetNumber(out var last) || (wanted >= first && wanted <= last));

    private static void Group(TrapContext context, EvaluatedResource group)
    {
        var targets = context.From(group.Properties["TargetGroupARNs"]).Where(t => t.Type == TargetGroup).ToList();
        if (group.Properties["TargetGroupARNs"] is null && group.Properties["LoadBalancerNames"] is null)
        {
            context.Report(HealthCheck, "It is checked by a load balancer and is in no target group.", group, group.Properties["HealthCheckType"]);
        }

        var template = context.From(group.Properties["LaunchTemplate"]).Concat(context.From(group.Properties["MixedInstancesPolicy"])).FirstOrDefault(t => t.Type == "AWS::EC2::LaunchTemplate");
        var guards = context.From(template?.Properties["LaunchTemplateData"]).Where(g => g.Type == "AWS::EC2::SecurityGroup").ToList();
        foreach (var target in targets)
        {
            if (target.Properties["TargetType"]?.AsString() == "ip")
            {
                context.Report(HealthCheck, $"'{target.Path}' takes addresses, so no instance of this group is ever healthy in it.", group, group.Properties["TargetGroupARNs"]);
                continue;
            }

            var port = target.Properties["HealthCheckPort"] is { } given && given.AsString() != "traffic-port" ? given : target.Properties["Port"];
            if (port is not null && guards.Count > 0 && !guards.Exists(g => Ingress(context, g).Any(rule => AdmitsAnyone(rule, port))))
            {
                context.Report(HealthCheck, $"'{target.Path}' checks port {port}, which no security group of the instances admits.", group, group.Properties["HealthCheckType"]);
            }
        }
    }

    private static bool AdmitsAnyone(Value rule, Value port) => rule["IpProtocol"]?.AsString() == "-1"
        || (port.TryGetNumber(out var wanted) && rule["FromPort"]?.TryGetNumber(out var first) == true && rule["ToPort"]?.TryGetNumber(out var last) == true && wanted >= first && wanted <= last);
}
