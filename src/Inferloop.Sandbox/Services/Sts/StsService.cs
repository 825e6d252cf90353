using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Organizations;

namespace Inferloop.Sandbox.Services.Sts;

/// <summary>Who am I, and credentials for a while.</summary>
internal sealed partial class StsService : SandboxService
{
    public StsService(SandboxRuntime runtime)
        : base(runtime, "sts")
    {
        On("GetCallerIdentity", GetCallerIdentity);
        On("AssumeRole", AssumeRoleAsync);
        On("AssumeRoleWithWebIdentity", AssumeRoleWithWebIdentityAsync);
        On("GetSessionToken", GetSessionToken);
        On("GetFederationToken", GetFederationToken);
        On("GetAccessKeyInfo", GetAccessKeyInfo);
    }

    private JsonObject GetCallerIdentity(RequestContext context, JsonObject input)
    {
        var key = Runtime.AccessKeys.Find(context.AccessKeyId);
        return new JsonObject
        {
            ["UserId"] = key?.UserId ?? context.AccountId,
            ["Account"] = context.AccountId,
            ["Arn"] = key?.PrincipalArn ?? context.PrincipalArn,
        };
    }

    private async Task<JsonObject> AssumeRoleAsync(RequestContext context, JsonObject input)
    {
        var roleArn = (string)input["RoleArn"]!;
        var role = await FindRoleAsync(context, roleArn, input).ConfigureAwait(false)
            ?? throw new ServiceFault("AccessDenied", $"User: {context.PrincipalArn} is not authorized to perform: sts:AssumeRole on resource: {roleArn}", 403);
        return Assume(context, role, (string)input["RoleSessionName"]!, input);
    }

    private async Task<JsonObject> AssumeRoleWithWebIdentityAsync(RequestContext context, JsonObject input)
    {
        var token = (string)input["WebIdentityToken"]!;
        var claims = TokenClaims(token) ?? throw new ServiceFault("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
        if (Scalars.TryInteger(claims["exp"], out var expiry) && DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(expiry, 0, 253402300799)) < WallClock.UtcNow)
        {
            throw new ServiceFault("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time");
        }
        var roleArn = (string)input["RoleArn"]!;
        var role = await FindRoleAsync(context, roleArn).ConfigureAwait(false)
            ?? throw new ServiceFault("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403);
        var result = Assume(context, role, (string)input["RoleSessionName"]!, input);
        result["SubjectFromWebIdentityToken"] = Scalars.Text(claims["sub"]) ?? "";
        result["Audience"] = Scalars.Text(claims["aud"] is JsonArray { Count: > 0 } list ? list[0] : claims["aud"]) ?? "";
        result["Provider"] = Scalars.Text(claims["iss"]) ?? "";
        return result;
    }

    private JsonObject GetSessionToken(RequestContext context, JsonObject input)
    {
        var key = Runtime.AccessKeys.Find(context.AccessKeyId);
        if (key?.SessionToken is not null)
        {
            throw new ServiceFault("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
        }
        return new JsonObject { ["Credentials"] = Issue(context.AccountId, context.PrincipalArn, key?.UserId ?? context.AccountId, Duration(input, 43_200)) };
    }

    private JsonObject GetFederationToken(RequestContext context, JsonObject input)
    {
        var name = (string)input["Name"]!;
        var arn = $"arn:{context.Partition}:sts::{context.AccountId}:federated-user/{name}";
        var userId = $"{context.AccountId}:{name}";
        return new JsonObject
        {
            ["Credentials"] = Issue(context.AccountId, arn, userId, Duration(input, 43_200)),
            ["FederatedUser"] = new JsonObject { ["FederatedUserId"] = userId, ["Arn"] = arn },
        };
    }

    private JsonObject GetAccessKeyInfo(RequestContext context, JsonObject input)
    {
        var key = Runtime.AccessKeys.Find((string)input["AccessKeyId"]!);
        return new JsonObject { ["Account"] = key?.AccountId ?? context.AccountId };
    }

    private JsonObject Assume(RequestContext context, AssumableRole role, string session, JsonObject input)
    {
        var arn = $"arn:{context.Partition}:sts::{role.AccountId}:assumed-role/{role.Name}/{session}";
        var userId = $"{role.Id}:{session}";
        return new JsonObject
        {
            ["Credentials"] = Issue(role.AccountId, arn, userId, Duration(input, 3_600)),
            ["AssumedRoleUser"] = new JsonObject { ["AssumedRoleId"] = userId, ["Arn"] = arn },
        };
    }

    private static TimeSpan Duration(JsonObject input, int fallback) =>
        TimeSpan.FromSeconds(Scalars.TryInteger(input["DurationSeconds"], out var seconds) ? seconds : fallback);

    /// <summary>Session credentials run out in real time: their holders compare the expiration with their own clock.</summary>
    private JsonObject Issue(string accountId, string principalArn, string userId, TimeSpan duration)
    {
        var key = new AccessKey
        {
            Id = "ASIA" + Runtime.Ids.Base32Upper(16),
            Secret = AccessKeyStore.NewSecret(),
            AccountId = accountId,
            PrincipalArn = principalArn,
            UserId = userId,
            SessionToken = AccessKeyStore.NewSecret() + AccessKeyStore.NewSecret() + AccessKeyStore.NewSecret() + AccessKeyStore.NewSecret(),
            Expiration = WallClock.UtcNow + duration,
        };
        Runtime.AccessKeys.Add(key);
        return new JsonObject
        {
            ["AccessKeyId"] = key.Id,
            ["SecretAccessKey"] = key.Secret,
            ["SessionToken"] = key.SessionToken,
            ["Expiration"] = Scalars.Timestamp(key.Expiration.Value),
        };
    }

    /// <summary>
    /// A role of an account that the sandbox holds has to exist, and its trust policy has to let the caller; of another account, of which the sandbox
    /// holds nothing, any role is taken.
    /// </summary>
    private async Task<AssumableRole?> FindRoleAsync(RequestContext context, string roleArn, JsonObject? input = null)
    {
        var match = RoleArn().Match(roleArn);
        if (!match.Success)
        {
            throw new ServiceFault("ValidationError", $"{roleArn} is invalid");
        }
        var account = match.Groups["account"].Value;
        var name = match.Groups["name"].Value;
        var assumable = new AssumableRole(account, name, "AROA" + Runtime.Ids.Base32Upper(17));
        if (Runtime.Service("iam") is not { } iam || !iam.Implements("GetRole") || !Runtime.Service<OrganizationsService>().Holds(account))
        {
            return assumable;
        }
        try
        {
            var found = await iam.InvokeAsync(context.With(account, context.Region) , "GetRole", new JsonObject { ["RoleName"] = name }).ConfigureAwait(false);
            if (input is not null && !IsTrusted(context, Uri.UnescapeDataString((string?)found["Role"]?["AssumeRolePolicyDocument"] ?? ""), roleArn, input))
            {
                return null;
            }
            return assumable with { Id = (string?)found["Role"]?["RoleId"] ?? assumable.Id };
        }
        catch (ServiceFault fault) when (fault.Code is "NoSuchEntity" or "NoSuchEntityException")
        {
            return null;
        }
    }

    private static bool IsTrusted(RequestContext context, string trust, string roleArn, JsonObject input)
    {
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if ((string?)input["ExternalId"] is { } external)
        {
            keys["sts:externalid"] = [external];
        }
        if ((string?)input["RoleSessionName"] is { } session)
        {
            keys["sts:rolesessionname"] = [session];
        }
        return CrossAccount.Says(context, trust, "sts:AssumeRole", roleArn, keys) == PolicyDecision.Allowed;
    }

    private static JsonObject? TokenClaims(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }
        try
        {
            var text = parts[1].Replace('-', '+').Replace('_', '/');
            return JsonShapes.Parse(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='))) as JsonObject;
        }
        catch (Exception e) when (e is FormatException or MalformedInputException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^arn:aws[a-z\-]*:iam::(?<account>\d{12}):role/(?:[\w+=,.@\-/]+/)?(?<name>[\w+=,.@\-]+)$")]
    private static partial Regex RoleArn();

    private sealed record AssumableRole(string AccountId, string Name, string Id);
}
