using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>Functions and their settings.</summary>
internal sealed partial class LambdaService
{
    private const long MaximumUnzipped = 262_144_000;
    private const long MaximumZipped = 52_428_800;
    private const int MaximumEnvironment = 4096;

    /// <summary>Runtimes that functions can no longer be created with (Lambda developer guide, "Deprecated runtimes", column "Block function create").</summary>
    private static readonly HashSet<string> Blocked = new(StringComparer.Ordinal)
    {
        "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "python2.7", "python3.6", "python3.7",
        "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "go1.x", "java8", "ruby2.5", "ruby2.7", "provided",
    };

    private static readonly string[] ReservedVariables =
    [
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    ];

    private void AddFunctions()
    {
        On("CreateFunction", CreateFunction);
        On("GetFunction", (context, input) =>
        {
            var (name, qualifier) = Named(input);
            var found = Resolve(context, name, qualifier);
            var function = Function(context, name);
            var answer = new JsonObject { ["Configuration"] = View(context, found, qualifier), ["Code"] = found["_Code"].Copy(), ["Tags"] = function["_Tags"].Copy() };
            return function.Int("_Concurrency") is { } reserved ? answer.With("Concurrency", new JsonObject { ["ReservedConcurrentExecutions"] = reserved }) : answer;
        });
        On("GetFunctionConfiguration", (context, input) =>
        {
            var (name, qualifier) = Named(input);
            return View(context, Resolve(context, name, qualifier), qualifier);
        });
        On("ListFunctions", (context, input) =>
        {
            var all = Functions(context).All().SelectMany(function => input.Text("FunctionVersion") == "ALL"
                ? Versions(context).Where(version => version.Text("FunctionName") == function.Text("FunctionName")).Prepend(function) : [function]).Select(function => View(context, function, null)).ToList();
            return Pages.Answer(input, all, "Functions", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
        On("DeleteFunction", DeleteFunction);
        On("UpdateFunctionCode", UpdateFunctionCode);
        On("UpdateFunctionConfiguration", UpdateFunctionConfiguration);
        On("GetFunctionCodeSigningConfig", (context, input) => new JsonObject { ["CodeSigningConfigArn"] = "", ["FunctionName"] = Function(context, Named(input).Name).Text("FunctionName") });
        On("GetRuntimeManagementConfig", (context, input) =>
        {
            var (name, qualifier) = Named(input);
            return new JsonObject { ["UpdateRuntimeOn"] = Resolve(context, name, qualifier).Text("_UpdateRuntimeOn") ?? "Auto", ["FunctionArn"] = ArnOf(context, name, qualifier) };
        });
        On("PutRuntimeManagementConfig", (context, input) =>
        {
            var (name, qualifier) = Named(input);
            if (input.Text("UpdateRuntimeOn") == "Manual" && !input.Has("RuntimeVersionArn"))
            {
                throw Invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual");
            }
            _ = Resolve(context, name, qualifier);
            Functions(context).Update(name, document => document["_UpdateRuntimeOn"] = input.Text("UpdateRuntimeOn"));
            return new JsonObject { ["UpdateRuntimeOn"] = input.Text("UpdateRuntimeOn"), ["FunctionArn"] = ArnOf(context, name, qualifier) }.With("RuntimeVersionArn", input.Text("RuntimeVersionArn"));
        });
        On("GetFunctionRecursionConfig", (context, input) => new JsonObject { ["RecursiveLoop"] = Function(context, Named(input).Name).Text("_RecursiveLoop") ?? "Terminate" });
        On("PutFunctionRecursionConfig", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Required("FunctionName");
            Functions(context).Update(name, document => document["_RecursiveLoop"] = input.Text("RecursiveLoop"));
            return new JsonObject { ["RecursiveLoop"] = input.Text("RecursiveLoop") };
        });
    }

    private static JsonObject View(RequestContext context, JsonObject function, string? qualifier)
    {
        var view = function.Copy();
        if (qualifier is not null)
        {
            view["FunctionArn"] = ArnOf(context, function.Required("FunctionName"), qualifier);
        }
        return view;
    }

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'+0000'", CultureInfo.InvariantCulture);

    private static void CheckPackaging(string packageType, JsonObject input, IReadOnlySet<string> blocked)
    {
        if (packageType == "Image")
        {
            if (input.Has("Runtime") || input.Has("Handler") || input.Texts("Layers").Count > 0)
            {
                throw Invalid($"Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.");
            }
            return;
        }
        if (!input.Has("Runtime") || !input.Has("Handler"))
        {
            throw Invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.");
        }
        CheckRuntime(input.Required("Runtime"), blocked);
    }

    private static void CheckRuntime(string runtime, IReadOnlySet<string> blocked)
    {
        if (blocked.Contains(runtime))
        {
            throw Invalid($"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.");
        }
    }

    private void CheckSettings(RequestContext context, JsonObject input)
    {
        if (input.Text("Role") is { } role)
        {
            RequireRole(context, role);
        }
        if (input.Child("Environment")?.Child("Variables") is { } variables)
        {
            var reserved = variables.Select(pair => pair.Key).Where(ReservedVariables.Contains).ToList();
            if (reserved.Count > 0)
            {
                throw Invalid($"Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {string.Join(", ", reserved)}");
            }
            if (Encoding.UTF8.GetByteCount(variables.ToJsonString()) > MaximumEnvironment)
            {
                throw Invalid($"Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {variables.ToJsonString()}");
            }
        }
        if (input.Text("KMSKeyArn") is { Length: > 0 } key)
        {
            try
            {
                Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, key, "lambda");
            }
            catch (ServiceFault fault)
            {
                throw Invalid($"KMS key is invalid: {fault.Message}");
            }
        }
        if (input.Texts("Layers").Count > 5)
        {
            throw Invalid("Cannot reference more than 5 layers.");
        }
        foreach (var layer in input.Texts("Layers").Where(arn => arn.Split(':') is [_, _, _, var region, var account, ..] && account == context.AccountId && region == context.Region))
        {
            _ = Layer(context, layer);
        }
        if (input.Child("DeadLetterConfig")?.Text("TargetArn") is { Length: > 0 } target && target.Split(':') is not ["arn", _, "sqs" or "sns", ..])
        {
            throw Invalid($"The provided target arn {target} is not a queue or topic");
        }
        var (timeout, memory) = (input.Int("Timeout"), input.Int("MemorySize"));
        if (timeout > 900)
        {
            throw Invalid($"Value {timeout} at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900");
        }
        if (memory is < 128 or > 10_240)
        {
            throw Invalid($"'MemorySize' value failed to satisfy constraint: Member must have value between 128 and 10240");
        }
    }

    private JsonObject? Network(RequestContext context, JsonObject? config)
    {
        if (config is null || config.Texts("SubnetIds").Count == 0)
        {
            return config is null ? null : new JsonObject { ["SubnetIds"] = new JsonArray(), ["SecurityGroupIds"] = new JsonArray(), ["VpcId"] = "", ["Ipv6AllowedForDualStack"] = false };
        }
        if (config.Texts("SecurityGroupIds").Count == 0)
        {
            throw Invalid("SecurityGroupIds are required when SubnetIds are given.");
        }
        var ec2 = Runtime.Service<Ec2Service>();
        try
        {
            var vpcs = config.Texts("SubnetIds").Select(id => ec2.Subnet(context, id)).Concat(config.Texts("SecurityGroupIds").Select(id => ec2.SecurityGroup(context, id))).Select(item => item.Required("VpcId")).Distinct(StringComparer.Ordinal).ToList();
            return vpcs.Count == 1
                ? config.Pick("SubnetIds", "SecurityGroupIds").With("VpcId", vpcs[0]).With("Ipv6AllowedForDualStack", config.Is("Ipv6AllowedForDualStack"))
                : throw Invalid("All security groups and subnets must belong to the same VPC.");
        }
        catch (ServiceFault fault) when (fault.Code.StartsWith("Invalid", StringComparison.Ordinal) && fault.Code.EndsWith("NotFound", StringComparison.Ordinal))
        {
            throw Invalid($"Error occurred while DescribeSubnets or DescribeSecurityGroups. EC2 Error Code: {fault.Code}. EC2 Error Message: {fault.Message}");
        }
    }

    private JsonObject CreateFunction(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        if (qualifier is not null)
        {
            throw Invalid("A function name must not have a qualifier.");
        }
        if (Functions(context).Contains(name))
        {
            throw Conflict($"Function already exist: {name}");
        }
        var packageType = input.Text("PackageType") ?? "Zip";
        CheckPackaging(packageType, input, Blocked);
        CheckSettings(context, input);
        var network = Network(context, input.Child("VpcConfig"));
        var package = FunctionPackage.Read(context, input.Child("Code")!, packageType, MaximumUnzipped);
        Tags.Check(Tags.FromMap(input.Child("Tags")), "InvalidParameterValueException");
        var function = new JsonObject
        {
            ["FunctionName"] = name,
            ["FunctionArn"] = ArnOf(context, name),
            ["Role"] = input.Text("Role"),
            ["CodeSize"] = package.Size,
            ["Description"] = input.Text("Description") ?? "",
            ["Timeout"] = input.Int("Timeout") ?? 3,
            ["MemorySize"] = input.Int("MemorySize") ?? 128,
            ["LastModified"] = Moment(context.Now),
            ["CodeSha256"] = package.Digest,
            ["Version"] = Latest,
            ["TracingConfig"] = new JsonObject { ["Mode"] = input.Child("TracingConfig")?.Text("Mode") ?? "PassThrough" },
            ["RevisionId"] = Runtime.Ids.Uuid(),
            ["State"] = "Pending",
            ["StateReason"] = "The function is being created.",
            ["StateReasonCode"] = "Creating",
            ["PackageType"] = packageType,
            ["Architectures"] = input["Architectures"].Copy() ?? new JsonArray("x86_64"),
            ["EphemeralStorage"] = new JsonObject { ["Size"] = input.Child("EphemeralStorage")?.Int("Size") ?? 512 },
            ["SnapStart"] = new JsonObject { ["ApplyOn"] = input.Child("SnapStart")?.Text("ApplyOn") ?? "None", ["OptimizationStatus"] = "Off" },
            ["LoggingConfig"] = Logging(name, input.Child("LoggingConfig")),
            ["_Code"] = package.Code,
            ["_Tags"] = input["Tags"].Copy() ?? new JsonObject(),
            ["_NextVersion"] = 1,
        }.Take(input, "Runtime", "Handler", "DeadLetterConfig", "Environment", "KMSKeyArn", "FileSystemConfigs").With("VpcConfig", network);
        Shape(context, function, input);
        if (!Functions(context).TryAdd(name, function))
        {
            throw Conflict($"Function already exist: {name}");
        }
        JoinNetwork(context, name, network);
        Runtime.After(network is null ? Durations.LambdaCreate : Durations.LambdaVpcCreate, () => Functions(context).Update(name, Activate));
        return input.Is("Publish") ? Publish(context, name, input.Text("Description")) : View(context, function, null);
    }

    private static JsonObject Logging(string name, JsonObject? given)
    {
        var logging = new JsonObject { ["LogFormat"] = given?.Text("LogFormat") ?? "Text", ["LogGroup"] = given?.Text("LogGroup") ?? "/aws/lambda/" + name };
        if (logging.Text("LogFormat") == "JSON")
        {
            logging["ApplicationLogLevel"] = given?.Text("ApplicationLogLevel") ?? "INFO";
            logging["SystemLogLevel"] = given?.Text("SystemLogLevel") ?? "INFO";
        }
        return logging;
    }

    /// <summary>Members that have another form in answers than in requests.</summary>
    private void Shape(RequestContext context, JsonObject function, JsonObject input)
    {
        if (input.Has("Layers"))
        {
            function["Layers"] = input.Texts("Layers").Select(arn => new JsonObject { ["Arn"] = arn, ["CodeSize"] = LayerSize(context, arn) }).ToJsonList();
        }
        if (input.Has("ImageConfig"))
        {
            function["ImageConfigResponse"] = new JsonObject { ["ImageConfig"] = input["ImageConfig"].Copy() };
        }
    }

    private static void Activate(JsonObject function)
    {
        function["State"] = "Active";
        function.Remove("StateReason");
        function.Remove("StateReasonCode");
        function["LastUpdateStatus"] = "Successful";
        function.Remove("LastUpdateStatusReason");
        function.Remove("LastUpdateStatusReasonCode");
    }

    /// <summary>Functions in a VPC share one interface for each pair of subnet and set of groups; it stays a while after the last has gone.</summary>
    private void JoinNetwork(RequestContext context, string name, JsonObject? network)
    {
        var ec2 = Runtime.Service<Ec2Service>();
        foreach (var subnet in network?.Texts("SubnetIds") ?? [])
        {
            var groups = network!.Texts("SecurityGroupIds").Order(StringComparer.Ordinal).ToList();
            var key = $"{subnet}/{string.Join(',', groups)}";
            if (!Collection(context, "interfaces").Contains(key))
            {
                var made = ec2.AllocateInterface(context, subnet, groups, $"AWS Lambda VPC ENI-{name}-{Runtime.Ids.Uuid()}", "lambda", "amazon-lambda");
                Collection(context, "interfaces").Put(key, new JsonObject { ["Id"] = made.Text("NetworkInterfaceId"), ["Functions"] = new JsonArray() });
            }
            Collection(context, "interfaces").Update(key, document => document.ListOrNew("Functions").Add(name));
        }
    }

    private void LeaveNetwork(RequestContext context, string name, JsonObject? network)
    {
        foreach (var subnet in network?.Texts("SubnetIds") ?? [])
        {
            var key = $"{subnet}/{string.Join(',', network!.Texts("SecurityGroupIds").Order(StringComparer.Ordinal))}";
            Collection(context, "interfaces").Update(key, document =>
            {
                var users = document.Texts("Functions").ToList();
                users.Remove(name);
                document["Functions"] = users.ToTextList();
            });
            Runtime.After(Durations.LambdaInterfaceRelease, () =>
            {
                if (Collection(context, "interfaces").Get(key) is { } left && left.Texts("Functions").Count == 0)
                {
                    Runtime.Service<Ec2Service>().ReleaseInterface(context, left.Text("Id"));
                    Collection(context, "interfaces").Remove(key);
                }
            });
        }
    }

    private JsonObject Updatable(RequestContext context, JsonObject input)
    {
        var function = Function(context, Named(input).Name);
        if (function.Text("LastUpdateStatus") == "InProgress")
        {
            throw Conflict($"The operation cannot be performed at this time. An update is in progress for resource: {function.Text("FunctionArn")}");
        }
        if (function.Text("State") == "Pending")
        {
            throw Conflict($"The operation cannot be performed at this time. The function is currently in the following state: Pending");
        }
        CheckRevision(input, function);
        return function;
    }

    private JsonObject Updating(RequestContext context, string name, TimeSpan duration, Action<JsonObject> change)
    {
        var updated = Functions(context).Update(name, document =>
        {
            change(document);
            document["LastModified"] = Moment(context.Now);
            document["RevisionId"] = Runtime.Ids.Uuid();
            document["LastUpdateStatus"] = "InProgress";
            document["LastUpdateStatusReason"] = "The function is being created.";
            document["LastUpdateStatusReasonCode"] = "Creating";
            document["_Changed"] = true;
        })!;
        Runtime.After(duration, () => Functions(context).Update(name, Activate));
        return updated;
    }

    private JsonObject UpdateFunctionCode(RequestContext context, JsonObject input)
    {
        var function = Updatable(context, input);
        var name = function.Required("FunctionName");
        var package = FunctionPackage.Read(context, input, function.Required("PackageType"), MaximumUnzipped);
        if (input.Is("DryRun"))
        {
            return function.With("CodeSha256", package.Digest).With("CodeSize", package.Size);
        }
        var updated = Updating(context, name, Durations.LambdaUpdate, document =>
        {
            document["CodeSize"] = package.Size;
            document["CodeSha256"] = package.Digest;
            document["_Code"] = package.Code.Copy();
            document.Take(input, "Architectures");
        });
        return input.Is("Publish") ? Publish(context, name, null) : View(context, updated, null);
    }

    private JsonObject UpdateFunctionConfiguration(RequestContext context, JsonObject input)
    {
        var function = Updatable(context, input);
        var name = function.Required("FunctionName");
        CheckSettings(context, input);
        if (input.Text("Runtime") is { } runtime)
        {
            CheckRuntime(runtime, Blocked);
        }
        var network = Network(context, input.Child("VpcConfig"));
        var updated = Updating(context, name, network is null ? Durations.LambdaUpdate : Durations.LambdaVpcCreate, document =>
        {
            document.Take(input, "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Runtime", "DeadLetterConfig", "KMSKeyArn", "TracingConfig", "EphemeralStorage", "FileSystemConfigs");
            if (input.Child("LoggingConfig") is { } logging)
            {
                document["LoggingConfig"] = Logging(name, logging);
            }
            if (input.Child("SnapStart") is { } snap)
            {
                document["SnapStart"] = new JsonObject { ["ApplyOn"] = snap.Text("ApplyOn"), ["OptimizationStatus"] = "Off" };
            }
            document.With("VpcConfig", network);
            Shape(context, document, input);
        });
        if (network is not null)
        {
            LeaveNetwork(context, name, function.Child("VpcConfig"));
            JoinNetwork(context, name, network);
        }
        return View(context, updated, null);
    }

    private JsonObject DeleteFunction(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        var function = Function(context, name);
        if (qualifier is not null)
        {
            if (qualifier == Latest)
            {
                throw Invalid("$LATEST version cannot be deleted without deleting the function.");
            }
            var users = Aliases(context).Where(alias => alias.Text("_Function") == name && (alias.Text("FunctionVersion") == qualifier || alias.Child("RoutingConfig")?.Child("AdditionalVersionWeights")?.Has(qualifier) == true)).Select(alias => alias.Text("Name")).ToList();
            return users.Count > 0 ? throw Conflict($"Unable to delete version because the following aliases reference it: [{string.Join(", ", users)}]")
                : Versions(context).Remove($"{name}:{qualifier}") ? [] : throw NotFound($"Function not found: {ArnOf(context, name, qualifier)}");
        }
        LeaveNetwork(context, name, function.Child("VpcConfig"));
        foreach (var kind in new[] { Versions(context), Aliases(context), Provisioned(context), InvokeConfigs(context), Urls(context) })
        {
            foreach (var key in kind.Keys().Where(key => key.StartsWith(name + ":", StringComparison.Ordinal)))
            {
                kind.Remove(key);
            }
        }
        Functions(context).Remove(name);
        return [];
    }
}
