namespace Inferloop.Templates;

/// <summary>Roles that cannot do what their tasks need, and variables that the application does not read.</summary>
internal static class RoleTraps
{
    public static readonly TrapRule Secrets = new(
        "SecretNotReadable", DiagnosticSeverity.Error, "The execution role cannot read a secret that it must inject",
        "Allow the execution role secretsmanager:GetSecretValue (or ssm:GetParameters) on that secret, and kms:Decrypt on its key.");

    public static readonly TrapRule Stores = new(
        "StoreNotReachable", DiagnosticSeverity.Warning, "The task role cannot use a table or bucket that its container is told of",
        "Allow the task role the actions it needs on that table or bucket.");

    public static readonly TrapRule Variables = new(
        "VariableNotRead", DiagnosticSeverity.Warning, "A container gets a variable under a name that the application does not read",
        "Use the application's own name; under another one it runs on its defaults.");

    private static readonly string[] Read =
    [
        "DATABASE_HOST", "DATABASE_PORT", "DATABASE_USERNAME", "DATABASE_PASSWORD", "DATABASE_NAME", "DATABASE_POOL_SIZE", "CACHE_HOST", "CACHE_PORT", "CACHE_PASSWORD",
        "STORAGE_PROVIDER", "STORAGE_BUCKET_NAME", "STORAGE_REGION", "JWT_SECRET", "JWT_ALGORITHM", "JWT_EXPIRATION_HOURS", "AUTH_SERVICE_URL", "SERVICE_NAME", "SERVICE_TIER",
        "SERVICE_VERSION", "LOG_LEVEL", "ENABLE_METRICS", "ENABLE_TRACING", "ENABLE_API_KEY_AUTH", "METRICS_PORT", "SENTRY_DSN", "ALERT_WEBHOOK_URL", "S3_BUCKET", "DYNAMODB_TABLE",
    ];

    // What others call what the application calls otherwise.
    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["DB_HOST"] = "DATABASE_HOST", ["DB_PORT"] = "DATABASE_PORT", ["DB_USER"] = "DATABASE_USERNAME", ["DB_USERNAME"] = "DATABASE_USERNAME", ["DB_PASSWORD"] = "DATABASE_PASSWORD", ["DB_NAME"] = "DATABASE_NAME",
        ["DATABASE_USER"] = "DATABASE_USERNAME", ["DATABASE_URL"] = "DATABASE_HOST", ["REDIS_HOST"] = "CACHE_HOST", ["REDIS_PORT"] = "CACHE_PORT", ["REDIS_PASSWORD"] = "CACHE_PASSWORD", ["REDIS_URL"] = "CACHE_HOST",
        ["BUCKET_NAME"] = "STORAGE_BUCKET_NAME", ["STORAGE_BUCKET"] = "STORAGE_BUCKET_NAME", ["JWT_SECRET_KEY"] = "JWT_SECRET",
    };

    public static void Check(TrapContext context)
    {
        foreach (var task in context.All("AWS::ECS::TaskDefinition"))
        {
            foreach (var container in task.Properties["ContainerDefinitions"]?.Items ?? [])
            {
                Injected(context, task, container);
                Told(context, task, container);
                Named(context, task, container);
            }
        }
    }

    private static void Injected(TrapContext context, EvaluatedResource task, Value container)
    {
        var secrets = container["Secrets"]?.Items ?? [];
        if (secrets.Count > 0 && task.Properties["ExecutionRoleArn"] is null)
        {
            context.Report(Secrets, "It injects secrets and has no ExecutionRoleArn.", task, container["Secrets"]);
            return;
        }

        if (context.From(task.Properties["ExecutionRoleArn"], "AWS::IAM::Role") is not { } role)
        {
            return; // made elsewhere: what it may do is not to be seen here
        }

        foreach (var secret in secrets)
        {
            var from = secret["ValueFrom"];
            var actions = from?.AsString()?.Contains(":ssm:", StringComparison.Ordinal) == true || context.From(from).Any(r => r.Type == "AWS::SSM::Parameter")
                ? new[] { "ssm:GetParameters" }
                : ["secretsmanager:GetSecretValue"];
            if (from is not null && !Allows(context, role, actions, from))
            {
                context.Report(Secrets, $"'{role.Path}' may not {actions[0]} what {secret["Name"]?.AsString()} comes from.", task, from);
            }
        }
    }

    private static void Told(TrapContext context, EvaluatedResource task, Value container)
    {
        if (context.From(task.Properties["TaskRoleArn"], "AWS::IAM::Role") is not { } role)
        {
            return;
        }

        foreach (var store in context.From(container["Environment"]).Where(r => r.Type is "AWS::DynamoDB::Table" or "AWS::DynamoDB::GlobalTable" or "AWS::S3::Bucket").Distinct())
        {
            var actions = store.Type == "AWS::S3::Bucket" ? new[] { "s3:GetObject", "s3:PutObject" } : ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"];
            if (!Statements(context, role).Any(s => IsAllow(s) && actions.Any(a => Acts(s, a)) && (Everything(s) || context.From(s["Resource"]).Contains(store))))
            {
                context.Report(Stores, $"A container is told of '{store.Path}', and '{role.Path}' may not use it.", task, container["Environment"]);
            }
        }
    }

    private static void Named(TrapContext context, EvaluatedResource task, Value container)
    {
        if (container["Image"]?.AsString()?.Contains("synthdata", StringComparison.OrdinalIgnoreCase) != true)
        {
            return;
        }

        var given = (container["Environment"]?.Items ?? []).Concat(container["Secrets"]?.Items ?? []).ToList();
        foreach (var variable in given)
        {
            var name = variable["Name"]?.AsString() ?? "";
            if (!Read.Contains(name, StringComparer.Ordinal) && (Others.GetValueOrDefault(name) ?? Suggestion.Nearest(name, Read)) is { } meant
                && !given.Exists(g => g["Name"]?.AsString() == meant))
            {
                context.Report(Variables, $"The application reads {meant}, not {name}.", task, variable["Name"]);
            }
        }
    }

    private static bool Allows(TrapContext context, EvaluatedResource role, string[] actions, Value target) =>
        Statements(context, role).Any(s => IsAllow(s) && actions.Any(a => Acts(s, a)) && (Everything(s) || Covers(context, s["Resource"], target)));

    private static bool IsAllow(Value statement) => statement["Effect"]?.AsString() == "Allow";

    private static bool Acts(Value statement, string action) => Texts(statement["Action"]).Any(pattern => Wildcards.Match(pattern, action));

    private static bool Everything(Value statement) => Texts(statement["Resource"]).Contains("*", StringComparer.Ordinal);

    private static bool Covers(TrapContext context, Value? resources, Value target)
    {
        var wanted = context.From(target).ToHashSet();
        if (wanted.Count > 0 && context.From(resources).Any(wanted.Contains))
        {
            return true;
        }

        // A secret's ARN may go on with a key in its JSON: arn:…:secret:name-AbCdEf:password::
        var text = target.AsString();
        var arn = text is null ? null : string.Join(':', text.Split(':').Take(7));
        return Texts(resources).Any(pattern => arn is not null && (Wildcards.Match(pattern, arn) || Wildcards.Match(pattern, text!)));
    }

    /// <summary>The statements of everything that is attached to a role here.</summary>
    private static IEnumerable<Value> Statements(TrapContext context, EvaluatedResource role)
    {
        var documents = (role.Properties["Policies"]?.Items ?? []).Select(p => p["PolicyDocument"])
            .Concat(context.From(role.Properties["ManagedPolicyArns"]).Where(p => p.Type == "AWS::IAM::ManagedPolicy").Select(p => p.Properties["PolicyDocument"]))
            .Concat(context.All("AWS::IAM::RolePolicy").Where(p => IsRole(context, p.Properties["RoleName"], role)).Select(p => p.Properties["PolicyDocument"]))
            .Concat(context.All("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy").Where(p => (p.Properties["Roles"]?.Items ?? []).Any(r => IsRole(context, r, role))).Select(p => p.Properties["PolicyDocument"]));
        return documents.Select(d => d?["Statement"]).SelectMany(s => s is MapValue ? [s] : s?.Items ?? []);
    }

    private static bool IsRole(TrapContext context, Value? name, EvaluatedResource role) =>
        context.From(name).Contains(role) || (name?.AsString() is { } text && text == role.Properties["RoleName"]?.AsString());

    private static IEnumerable<string> Texts(Value? value) => value is null ? [] : (value is ListValue ? value.Items : [value]).Select(v => v.AsString()).OfType<string>();
}
