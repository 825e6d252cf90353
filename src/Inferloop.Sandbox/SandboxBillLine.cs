namespace Inferloop.Sandbox;

/// <summary>What was charged on one day for one kind of use.</summary>
/// <param name="Day">The day, in UTC.</param>
/// <param name="Service">The service as bills name it, such as <c>Amazon Relational Database Service</c>.</param>
/// <param name="UsageType">What of the service was used.</param>
/// <param name="Region">The region in which it was used.</param>
/// <param name="Amount">US dollars.</param>
/// <param name="Quantity">How much was used.</param>
/// <param name="Tags">The tags of what was used; Cost Explorer knows those that are activated as cost allocation tags.</param>
public sealed record SandboxBillLine(DateOnly Day, string Service, string UsageType, string Region, decimal Amount, decimal Quantity, IReadOnlyDictionary<string, string> Tags);
