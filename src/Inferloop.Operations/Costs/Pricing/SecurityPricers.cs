namespace Inferloop.Operations.Costs.Pricing;

/// <summary>KMS keys, secrets, and DNS zones.</summary>
internal static class SecurityPricers
{
    public static void Key(CostedResource key, CostSheet sheet)
    {
        var keys = sheet.Scope.OfType(key.Type).Count;
        sheet.Add(
            key, "KMS key", "kms", "key_month", 1m,
            key.Flag("EnableKeyRotation") ? "the first year; each of the first two yearly rotations adds as much again" : "one key version");
        var spec = key.Text("KeySpec") ?? "SYMMETRIC_DEFAULT";
        var requests = CostSheet.Share(sheet.Usage.KeyRequests, keys);
        var dimension = spec switch
        {
            "SYMMETRIC_DEFAULT" or "HMAC_224" or "HMAC_256" or "HMAC_384" or "HMAC_512" => "request",
            "RSA_2048" => "asymmetric_rsa_2048_request",
            _ => "asymmetric_other_request",
        };
        sheet.Add(key, "KMS requests", "kms", dimension, requests, NetworkPricers.Sharing(keys, "key") + "; AWS's free 20,000 a month not deducted");
    }

    public static void Secret(CostedResource secret, CostSheet sheet)
    {
        var secrets = sheet.Scope.OfType(secret.Type).Count;
        sheet.Add(secret, "Secret", "secrets_manager", "secret_month", 1m, "kept all month");
        foreach (var region in secret.Items("ReplicaRegions").Select(r => r["Region"]?.AsString()).OfType<string>())
        {
            sheet.AddIn(region, secret, $"Replica in {region}", "secrets_manager", "secret_month", 1m, "a replica is charged as a secret of its own");
        }

        sheet.Add(
            secret, "Secrets Manager requests", "secrets_manager", "api_10000_requests", CostSheet.Share(sheet.Usage.SecretRequests, secrets) / 10_000,
            NetworkPricers.Sharing(secrets, "secret"));
    }

    public static void Zone(CostedResource zone, CostSheet sheet)
    {
        var zones = sheet.Scope.OfType("AWS::Route53::HostedZone").Count + sheet.Scope.OfType("AWS::ServiceDiscovery::PrivateDnsNamespace").Count
            + sheet.Scope.OfType("AWS::ServiceDiscovery::PublicDnsNamespace").Count;
        sheet.Add(zone, "DNS zone", "route53", "hosted_zone_month", 1m, "one zone");
        sheet.Add(zone, "DNS queries", "route53", "standard_query", CostSheet.Share(sheet.Usage.DnsQueries, zones), NetworkPricers.Sharing(zones, "zone"));
    }
}
