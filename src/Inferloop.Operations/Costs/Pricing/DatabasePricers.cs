namespace Inferloop.Operations.Costs.Pricing;

/// <summary>RDS databases.</summary>
internal static class DatabasePricers
{
    public static void Instance(CostedResource database, CostSheet sheet)
    {
        if (database.Text("Engine") is { } engine && engine != "postgres")
        {
            sheet.AddUnpriced(database, $"{engine} instance", Month.Hours, "hour", "The catalog has prices of PostgreSQL only.");
            return;
        }

        if (database.Text("DBInstanceClass") is not { } size)
        {
            sheet.AddUnpriced(database, "Database instance", Month.Hours, "hour", "Its class is not known.");
            return;
        }

        var multi = database.Flag("MultiAZ");
        PerDeployment(database, sheet, $"{size} instance", $"postgresql_{{0}}_{size.Replace('.', '_')}_hour", multi, Month.Hours, "running all month");
        var storage = database.Text("StorageType") ?? "gp2";
        if (database.Number("AllocatedStorage") is { } gb)
        {
            PerDeployment(database, sheet, $"{storage} storage", $"storage_{storage}_{{0}}_gb_month", multi, gb, "as allocated");
        }
        else
        {
            sheet.AddUnpriced(database, $"{storage} storage", null, "gb_month", "Its size is not known.");
        }

        sheet.Add(
            database, "Backups", "rds", "backup_storage_gb_month", CostSheet.Share(sheet.Usage.DatabaseBackupGb, sheet.Scope.OfType(database.Type).Count),
            "beyond the size of the database, which is free");
    }

    // A standby is a second instance with a second volume: the price with one is twice that without, wherever lists have both. Where the
    // catalog has only the single price, the line says that it is derived, and from which row.
    private static void PerDeployment(CostedResource database, CostSheet sheet, string name, string dimension, bool multi, decimal quantity, string assumption)
    {
        var single = string.Format(null, dimension, "single_az");
        var exact = string.Format(null, dimension, multi ? "multi_az" : "single_az");
        if (multi && !sheet.Catalog.TryFind(database.Region, "rds", exact, out _) && sheet.Catalog.TryFind(database.Region, "rds", single, out _))
        {
            sheet.AddDerived(database, name + ", Multi-AZ", "rds", single, 2, $"twice rds/{single}, for an instance and its standby", quantity, assumption);
            return;
        }

        sheet.Add(database, multi ? name + ", Multi-AZ" : name, "rds", exact, quantity, assumption);
    }
}
