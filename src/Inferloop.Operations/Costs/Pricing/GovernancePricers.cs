using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Trails, configuration history, backups, firewalls, builds and pipelines.</summary>
internal static class GovernancePricers
{
    public static void Trail(CostedResource trail, CostSheet sheet)
    {
        // The first copy of management events is free; whether an account has another trail already, no template says.
        var data = trail.Items("EventSelectors").Any(s => s["DataResources"]?.Items.Count > 0)
            || trail.Items("AdvancedEventSelectors").Any(s => s["FieldSelectors"]?.Items.Any(
                f => f["Field"]?.AsString() == "eventCategory" && f["Equals"]?.Items.Any(v => v.AsString() == "Data") == true) == true);
        var trails = sheet.Scope.OfType(trail.Type).Count;
        if (data)
        {
            sheet.Add(trail, "Data events", "cloudtrail", "data_event", CostSheet.Share(sheet.Usage.TrailDataEvents, trails), NetworkPricers.Sharing(trails, "trail"));
        }

        sheet.Add(
            trail, "Further copies of management events", "cloudtrail", "management_event_additional_copy", CostSheet.Share(sheet.Usage.TrailCopiedEvents, trails), "the first copy is free");
        if (trail.Items("InsightSelectors").Count > 0)
        {
            sheet.AddUnpriced(trail, "Insights", null, "event", "The number of events it analyses is in no usage profile.");
        }

        if (!data && sheet.Usage.TrailCopiedEvents == 0)
        {
            sheet.AddFree(trail);
        }
    }

    public static void ConfigRecorder(CostedResource recorder, CostSheet sheet)
    {
        var daily = recorder.Text("RecordingMode", "RecordingFrequency") == "DAILY";
        var recorders = sheet.Scope.OfType(recorder.Type).Count;
        sheet.Add(
            recorder, daily ? "Configuration items, daily" : "Configuration items", "config", daily ? "configuration_item_daily" : "configuration_item",
            CostSheet.Share(sheet.Usage.ConfigItems, recorders), NetworkPricers.Sharing(recorders, "recorder"));
    }

    public static void ConfigRule(CostedResource rule, CostSheet sheet)
    {
        var rules = sheet.Scope.OfType(rule.Type).Count;
        sheet.Add(rule, "Rule evaluations", "config", "rule_evaluation", CostSheet.Share(sheet.Usage.ConfigEvaluations, rules), NetworkPricers.Sharing(rules, "rule"));
    }

    public static void ConformancePack(CostedResource pack, CostSheet sheet)
    {
        var packs = sheet.Scope.OfType(pack.Type).Count;
        sheet.Add(pack, "Conformance pack evaluations", "config", "conformance_pack_evaluation", CostSheet.Share(sheet.Usage.ConfigEvaluations, packs), NetworkPricers.Sharing(packs, "pack"));
    }

    public static void BackupVault(CostedResource vault, CostSheet sheet)
    {
        var vaults = sheet.Scope.OfType(vault.Type).Count;
        var sharing = NetworkPricers.Sharing(vaults, "vault");
        PerService(vault, sheet, "Database recovery points", "rds_snapshot_gb_month", ("rds", "backup_storage_gb_month"), CostSheet.Share(sheet.Usage.BackupVaultGb, vaults), sharing);
        PerService(vault, sheet, "Table recovery points", "dynamodb_backup_gb_month", ("dynamodb", "on_demand_backup_gb_month"), CostSheet.Share(sheet.Usage.TableBackupGb, vaults), sharing);
    }

    public static void Dashboard(CostedResource dashboard, CostSheet sheet) =>
        sheet.Add(dashboard, "Dashboard", "cloudwatch", "dashboard_month", 1m, "AWS's free three dashboards not deducted");

    public static void MetricFilter(CostedResource filter, CostSheet sheet)
    {
        var metrics = Math.Max(1, filter.Items("MetricTransformations").Count);
        sheet.Add(filter, "Metrics from logs", "cloudwatch", "metric_month", metrics, $"{metrics} custom metric{(metrics == 1 ? "" : "s")}, published all month");
    }

    public static void QueryDefinition(CostedResource query, CostSheet sheet)
    {
        var queries = sheet.Scope.OfType(query.Type).Count;
        sheet.Add(
            query, "Logs Insights queries", "cloudwatch", "logs_insights_scanned_gb", CostSheet.Share(sheet.Usage.LogsScannedGb, queries), NetworkPricers.Sharing(queries, "query") + "; saving it is free");
    }

    public static void Canary(CostedResource canary, CostSheet sheet)
    {
        var words = (canary.Text("Schedule", "Expression") ?? "").Split('(', ' ', ')');
        if (words is not ["rate", var number, var unit, ..] || !decimal.TryParse(number, System.Globalization.CultureInfo.InvariantCulture, out var every) || every <= 0)
        {
            sheet.AddUnpriced(canary, "Canary runs", null, "run", "Its schedule is not a rate, so the number of runs is not known.");
            return;
        }

        var minutes = unit.TrimEnd('s') switch { "hour" => every * 60, "day" => every * 1440, _ => every };
        sheet.Add(canary, "Canary runs", "cloudwatch", "synthetics_canary_run", Month.Minutes / minutes, $"one every {minutes:0.##} minutes");
    }

    public static void WebAcl(CostedResource acl, CostSheet sheet)
    {
        var acls = sheet.Scope.OfType(acl.Type).Count;
        var rules = acl.Items("Rules").Count;
        sheet.Add(acl, "Web ACL", "waf", "web_acl_month", 1m, "kept all month");
        sheet.Add(acl, "Web ACL rules", "waf", "rule_month", rules, $"{rules} rules or rule groups");
        sheet.Add(acl, "Inspected requests", "waf", "request", CostSheet.Share(sheet.Usage.FirewallRequests, acls), NetworkPricers.Sharing(acls, "web ACL"));
    }

    public static void RuleGroup(CostedResource group, CostSheet sheet)
    {
        var rules = group.Items("Rules").Count;
        sheet.Add(group, "Rules of the group", "waf", "rule_month", rules, $"{rules} rules");
    }

    public static void HealthCheck(CostedResource check, CostSheet sheet)
    {
        // What the domain name leads to, AWS knows and a template rarely says; the dearer price is taken where it is not AWS's own.
        var type = check.Text("HealthCheckConfig", "Type") ?? "HTTP";
        var name = check.Text("HealthCheckConfig", "FullyQualifiedDomainName") ?? "";
        var calculated = type is "CALCULATED" or "CLOUDWATCH_METRIC" or "RECOVERY_CONTROL";
        var made = check.Sources(check.Get("HealthCheckConfig", "FullyQualifiedDomainName")).Any();
        var own = calculated || made || name.EndsWith(".amazonaws.com", StringComparison.Ordinal);
        var kind = own ? "aws" : "other";
        sheet.Add(check, "Health check", "route53", $"health_check_{kind}_endpoint_month", 1m, own ? "of an AWS endpoint" : "of an endpoint outside AWS, as far as the template tells");
        var features = (type.StartsWith("HTTPS", StringComparison.Ordinal) ? 1 : 0) + (type.EndsWith("STR_MATCH", StringComparison.Ordinal) ? 1 : 0)
            + (check.Number("HealthCheckConfig", "RequestInterval") == 10 ? 1 : 0) + (check.Flag("HealthCheckConfig", "MeasureLatency") ? 1 : 0);
        sheet.Add(check, "Health check features", "route53", $"health_check_optional_feature_{kind}_endpoint_month", features, "HTTPS, text match, fast interval, latency");
    }

    public static void Repository(CostedResource repository, CostSheet sheet)
    {
        var repositories = sheet.Scope.OfType(repository.Type).Count;
        sheet.Add(repository, "Images", "ecr", "storage_gb_month", CostSheet.Share(sheet.Usage.ImageGb, repositories), NetworkPricers.Sharing(repositories, "repository"));
    }

    public static void Build(CostedResource project, CostSheet sheet)
    {
        var projects = sheet.Scope.OfType(project.Type).Count;
        var size = (project.Text("Environment", "ComputeType") ?? "BUILD_GENERAL1_SMALL").ToLowerInvariant().Replace("build_", "", StringComparison.Ordinal);
        var system = project.Text("Environment", "Type") switch { "ARM_CONTAINER" => "linux_arm", "LINUX_GPU_CONTAINER" => "linux_gpu", { } t when t.StartsWith("WINDOWS", StringComparison.Ordinal) => "windows", _ => "linux" };
        sheet.Add(
            project, "Build minutes", "codebuild", $"{system}_{size}_minute", CostSheet.Share(sheet.Usage.BuildMinutes, projects), NetworkPricers.Sharing(projects, "project") + "; each build rounded up to a minute");
    }

    public static void Pipeline(CostedResource pipeline, CostSheet sheet)
    {
        if (pipeline.Text("PipelineType") != "V2")
        {
            sheet.Add(pipeline, "Active pipeline", "codepipeline", "v1_active_pipeline_month", 1m, "used at least once a month; the first 30 days are free");
            return;
        }

        var pipelines = sheet.Scope.Once("pipelines V2", s => s.OfType(pipeline.Type).Count(p => p.Text("PipelineType") == "V2"));
        sheet.Add(pipeline, "Action minutes", "codepipeline", "v2_action_minute", CostSheet.Share(sheet.Usage.PipelineMinutes, pipelines), NetworkPricers.Sharing(pipelines, "pipeline"));
    }

    public static void Parameter(CostedResource parameter, CostSheet sheet)
    {
        if (parameter.Text("Tier") != "Advanced")
        {
            sheet.AddFree(parameter);
            return;
        }

        sheet.Add(parameter, "Advanced parameter", "ssm", "advanced_parameter_month", 1m, "kept all month");
    }

    public static void Certificate(CostedResource certificate, CostSheet sheet)
    {
        if (certificate.Get("CertificateAuthorityArn") is null)
        {
            sheet.AddFree(certificate);
            return;
        }

        sheet.AddUnpriced(certificate, "Private certificate", 1, "certificate", "It is charged once, when it is issued, and not by the month.");
    }

    // AWS Backup charges what the service it backs up charges; where the catalog has no row of Backup's own, that service's row stands for it.
    private static void PerService(
        CostedResource vault, CostSheet sheet, string name, string dimension, (string Service, string Dimension) like, decimal gb, string assumption)
    {
        if (!sheet.Catalog.TryFind(vault.Region, "backup", dimension, out _) && sheet.Catalog.TryFind(vault.Region, like.Service, like.Dimension, out _))
        {
            sheet.AddDerived(vault, name, like.Service, like.Dimension, 1, $"as {like.Service}/{like.Dimension}, at which AWS Backup charges them", gb, assumption);
            return;
        }

        sheet.Add(vault, name, "backup", dimension, gb, assumption);
    }
}
