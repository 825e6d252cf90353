namespace Inferloop.Sandbox;

/// <summary>Something the sandbox would have sent out into the world: an e-mail, a text message, a call of a web hook. It never leaves the process.</summary>
/// <param name="Time">When, on the sandbox clock.</param>
/// <param name="Source">The service that sent it, such as <c>sns</c> or <c>budgets</c>.</param>
/// <param name="Protocol">How: <c>email</c>, <c>email-json</c>, <c>sms</c>, <c>http</c>, <c>https</c>, <c>lambda</c>, <c>firehose</c>, <c>application</c>.</param>
/// <param name="Address">To whom.</param>
/// <param name="Subject">The subject, where there is one.</param>
/// <param name="Body">What it says.</param>
/// <param name="AccountId">The sender's account.</param>
/// <param name="Region">The sender's region.</param>
public sealed record SandboxDelivery(DateTimeOffset Time, string Source, string Protocol, string Address, string? Subject, string Body, string AccountId, string Region);
