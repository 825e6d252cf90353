using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>The AWS::Lambda resource types.</summary>
internal static class LambdaResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<LambdaService>();
        return [Function(service), Version(service), Alias(service), Permission(service), Mapping(service), InvokeConfig(service), Url(service), LayerVersion(service)];
    }

    private static JsonObject Named(string name, string? qualifier = null) => new JsonObject { ["FunctionName"] = name }.With("Qualifier", qualifier);

    /// <summary>Inline code is source text in templates: CloudFormation packs it as the index file of its language.</summary>
    private static JsonObject Code(JsonObject properties)
    {
        var code = properties.Child("Code")!.Copy();
        if (code.Text("ZipFile") is { } source)
        {
            using var stream = new MemoryStream();
            using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            {
                var entry = archive.CreateEntry(properties.Text("Runtime")?.StartsWith("python", StringComparison.Ordinal) == true ? "index.py" : "index.js");
                // The same source gives the same package.
                entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using var writer = entry.Open();
                writer.Write(Encoding.UTF8.GetBytes(source));
            }
            code["ZipFile"] = Convert.ToBase64String(stream.ToArray());
        }
        return code;
    }

    private static Provider Function(LambdaService service)
    {
        Task<JsonObject> Find(ProvisionContext context, string name) => service.CallAsync(context, "GetFunction", Named(name));
        Task Settled(ProvisionContext context, string name) => context.WaitUntilAsync(async () =>
        {
            var configuration = (await Find(context, name).ConfigureAwait(false)).Child("Configuration")!;
            return configuration.Text("State") == "Failed" ? throw new ServiceFault("NotStabilized", configuration.Text("StateReason") ?? "Function is in state Failed")
                : configuration.Text("State") == "Active" && configuration.Text("LastUpdateStatus") != "InProgress";
        }, TimeSpan.FromSeconds(2));
        async Task Concurrency(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            if (after.Changed(before, "ReservedConcurrentExecutions"))
            {
                await service.CallAsync(context, after.Has("ReservedConcurrentExecutions") ? "PutFunctionConcurrency" : "DeleteFunctionConcurrency", Named(name).With("ReservedConcurrentExecutions", after.Int("ReservedConcurrentExecutions"))).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::Lambda::Function")
        {
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "FunctionName", 64);
                var input = PropertyMapper.ToInput(service, "CreateFunction", properties.Tagged(context).With("Code", Code(properties)), ("KmsKeyArn", "KMSKeyArn"));
                input["FunctionName"] = name;
                await service.CallAsync(context, "CreateFunction", input).ConfigureAwait(false);
                context.Initiated(name);
                await Settled(context, name).ConfigureAwait(false);
                await Concurrency(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                if (after.Changed(before, "Code", "Architectures"))
                {
                    var code = PropertyMapper.ToInput(service, "UpdateFunctionCode", Code(after).With("Architectures", after["Architectures"].Copy()));
                    code["FunctionName"] = name;
                    await service.CallAsync(context, "UpdateFunctionCode", code).ConfigureAwait(false);
                    await Settled(context, name).ConfigureAwait(false);
                }
                string[] settings = ["Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "Environment", "Runtime", "DeadLetterConfig", "KmsKeyArn", "TracingConfig", "Layers", "FileSystemConfigs", "ImageConfig", "EphemeralStorage", "SnapStart", "LoggingConfig"];
                if (after.Changed(before, settings))
                {
                    var input = PropertyMapper.ToInput(service, "UpdateFunctionConfiguration", after.Pick(settings), ("KmsKeyArn", "KMSKeyArn"));
                    input["FunctionName"] = name;
                    foreach (var (member, empty) in new (string, JsonNode)[]
                    {
                        ("Environment", new JsonObject { ["Variables"] = new JsonObject() }), ("Layers", new JsonArray()), ("VpcConfig", new JsonObject { ["SubnetIds"] = new JsonArray(), ["SecurityGroupIds"] = new JsonArray() }),
                        ("DeadLetterConfig", new JsonObject { ["TargetArn"] = "" }), ("Description", ""),
                    })
                    {
                        // What the template no longer has goes.
                        if (before.Has(member) && !after.Has(member))
                        {
                            input[member] = empty;
                        }
                    }
                    await service.CallAsync(context, "UpdateFunctionConfiguration", input).ConfigureAwait(false);
                    await Settled(context, name).ConfigureAwait(false);
                }
                await Concurrency(context, name, before, after).ConfigureAwait(false);
                await service.RetagAsync(context, before, after, context.Request.Arn("lambda", "function:" + name), "Resource", "Tags", "TagKeys").ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteFunction", Named(name)),
            Read = async (context, name) =>
            {
                var found = await Find(context, name).ConfigureAwait(false);
                var configuration = found.Child("Configuration")!;
                var properties = configuration.Pick("FunctionName", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Runtime", "DeadLetterConfig", "TracingConfig", "FileSystemConfigs", "EphemeralStorage", "LoggingConfig", "PackageType", "Architectures");
                properties.With("KmsKeyArn", configuration.Text("KMSKeyArn")).With("VpcConfig", configuration.Child("VpcConfig")?.Pick("SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack"))
                    .With("Layers", configuration.Objects("Layers").Any() ? configuration.Objects("Layers").Select(layer => layer.Required("Arn")).ToTextList() : null)
                    .With("ReservedConcurrentExecutions", found.Child("Concurrency")?.Int("ReservedConcurrentExecutions"))
                    .With("SnapStart", configuration.Child("SnapStart")?.Pick("ApplyOn"));
                properties["Tags"] = Tags.OfTemplate(Tags.FromMap(found.Child("Tags")));
                return properties;
            },
            Attributes = async (context, name) =>
            {
                var configuration = (await Find(context, name).ConfigureAwait(false)).Child("Configuration")!;
                return ProviderExtensions.Attributes(("Arn", configuration["FunctionArn"]), ("SnapStartResponse", configuration["SnapStart"]), ("SnapStartResponse.ApplyOn", configuration.Child("SnapStart")?["ApplyOn"]), ("SnapStartResponse.OptimizationStatus", configuration.Child("SnapStart")?["OptimizationStatus"]));
            },
        };
    }

    private static Task Provisioned(LambdaService service, ProvisionContext context, string name, string qualifier, JsonObject? before, JsonObject? after)
    {
        if (after?.Int("ProvisionedConcurrentExecutions") is not { } wanted)
        {
            return before is null ? Task.CompletedTask : service.CallAsync(context, "DeleteProvisionedConcurrencyConfig", Named(name, qualifier));
        }
        return before?.Int("ProvisionedConcurrentExecutions") == wanted ? Task.CompletedTask : Put();
        async Task Put()
        {
            await service.CallAsync(context, "PutProvisionedConcurrencyConfig", Named(name, qualifier).With("ProvisionedConcurrentExecutions", wanted)).ConfigureAwait(false);
            await context.WaitUntilAsync(async () => (await service.CallAsync(context, "GetProvisionedConcurrencyConfig", Named(name, qualifier)).ConfigureAwait(false)).Text("Status") == "READY").ConfigureAwait(false);
        }
    }

    private static (string Name, string Qualifier) Parts(string arn) => (arn.Split(':')[6], arn.Split(':')[7]);

    private static Provider Version(LambdaService service) => new("AWS::Lambda::Version")
    {
        Create = async (context, properties) =>
        {
            var known = (await service.CallAsync(context, "ListVersionsByFunction", Named(properties.Required("FunctionName"))).ConfigureAwait(false)).Objects("Versions").Select(item => item.Text("Version")).ToHashSet(StringComparer.Ordinal);
            var published = await service.CallMappedAsync(context, "PublishVersion", properties).ConfigureAwait(false);
            var (name, number) = Parts(published.Required("FunctionArn"));
            if (known.Contains(number))
            {
                // Lambda gives the last version when nothing has changed since; the resource would be one that another one is already.
                throw new ServiceFault("AlreadyExists", $"A version for this Lambda function exists ( {number} ). Modify the function to create a new version.");
            }
            context.Initiated(published.Required("FunctionArn"));
            await context.WaitUntilAsync(async () => (await service.CallAsync(context, "GetFunctionConfiguration", Named(name, number)).ConfigureAwait(false)).Text("State") == "Active", TimeSpan.FromSeconds(2)).ConfigureAwait(false);
            await Provisioned(service, context, name, number, null, properties.Child("ProvisionedConcurrencyConfig")).ConfigureAwait(false);
            return published.Required("FunctionArn");
        },
        Update = (context, arn, before, after) => Provisioned(service, context, Parts(arn).Name, Parts(arn).Qualifier, before.Child("ProvisionedConcurrencyConfig"), after.Child("ProvisionedConcurrencyConfig")),
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteFunction", Named(Parts(arn).Name, Parts(arn).Qualifier)),
        Read = async (context, arn) => (await service.CallAsync(context, "GetFunctionConfiguration", Named(Parts(arn).Name, Parts(arn).Qualifier)).ConfigureAwait(false)).Pick("FunctionName", "Description", "CodeSha256"),
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("FunctionArn", arn), ("Version", Parts(arn).Qualifier))),
    };

    private static Provider Alias(LambdaService service)
    {
        static JsonObject Input(LambdaService service, string operation, JsonObject properties)
        {
            var input = PropertyMapper.ToInput(service, operation, properties.Pick("FunctionName", "FunctionVersion", "Name", "Description"));
            // Templates list the weights; the API has a map.
            input["RoutingConfig"] = new JsonObject
            {
                ["AdditionalVersionWeights"] = new JsonObject((properties.Child("RoutingConfig")?.Objects("AdditionalVersionWeights") ?? [])
                    .Select(item => KeyValuePair.Create(item.Required("FunctionVersion"), (JsonNode?)JsonValue.Create(Weight(item))))),
            };
            return input;
        }

        // A parameter of a template is text, whatever its type.
        static double Weight(JsonObject item) => item.Double("FunctionWeight") ?? double.Parse(item.Required("FunctionWeight"), CultureInfo.InvariantCulture);
        return new Provider("AWS::Lambda::Alias")
        {
            Create = async (context, properties) =>
            {
                var arn = (await service.CallAsync(context, "CreateAlias", Input(service, "CreateAlias", properties)).ConfigureAwait(false)).Required("AliasArn");
                context.Initiated(arn);
                await Provisioned(service, context, Parts(arn).Name, Parts(arn).Qualifier, null, properties.Child("ProvisionedConcurrencyConfig")).ConfigureAwait(false);
                return arn;
            },
            Update = async (context, arn, before, after) =>
            {
                await service.CallAsync(context, "UpdateAlias", Input(service, "UpdateAlias", after)).ConfigureAwait(false);
                await Provisioned(service, context, Parts(arn).Name, Parts(arn).Qualifier, before.Child("ProvisionedConcurrencyConfig"), after.Child("ProvisionedConcurrencyConfig")).ConfigureAwait(false);
            },
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteAlias", Named(Parts(arn).Name).With("Name", Parts(arn).Qualifier)),
            Read = async (context, arn) =>
            {
                var alias = await service.CallAsync(context, "GetAlias", Named(Parts(arn).Name).With("Name", Parts(arn).Qualifier)).ConfigureAwait(false);
                var weights = alias.Child("RoutingConfig")?.Child("AdditionalVersionWeights") ?? [];
                return alias.Pick("Name", "FunctionVersion", "Description").With("FunctionName", Parts(arn).Name).With("RoutingConfig", new JsonObject
                {
                    ["AdditionalVersionWeights"] = weights.Select(pair => new JsonObject { ["FunctionVersion"] = pair.Key, ["FunctionWeight"] = pair.Value.Copy() }).ToJsonList(),
                });
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("AliasArn", arn))),
        };
    }

    private static Provider Permission(LambdaService service)
    {
        // <function as the template names it>|<statement>
        static (string Function, string Statement) Id(string id) => (id[..id.LastIndexOf('|')], id[(id.LastIndexOf('|') + 1)..]);
        return new Provider("AWS::Lambda::Permission")
        {
            Create = async (context, properties) =>
            {
                var statement = context.GenerateName(100);
                await service.CallMappedAsync(context, "AddPermission", properties.Copy().With("StatementId", statement)).ConfigureAwait(false);
                return $"{properties.Text("FunctionName")}|{statement}";
            },
            Reference = id => Id(id).Statement,
            Delete = (context, id, _) => service.CallAsync(context, "RemovePermission", Named(Id(id).Function).With("StatementId", Id(id).Statement)),
            Read = async (context, id) =>
            {
                var policy = PolicyDocument.AsObject((await service.CallAsync(context, "GetPolicy", Named(Id(id).Function)).ConfigureAwait(false)).Text("Policy")) as JsonObject;
                if (policy?.Objects("Statement").FirstOrDefault(item => item.Text("Sid") == Id(id).Statement) is not { } statement)
                {
                    return null;
                }
                var equals = statement.Child("Condition")?.Child("StringEquals");
                return new JsonObject { ["FunctionName"] = Id(id).Function, ["Action"] = statement.Text("Action") }
                    .With("Principal", statement.Text("Principal") ?? statement.Child("Principal")?.Text("Service") ?? statement.Child("Principal")?.Text("AWS"))
                    .With("SourceArn", statement.Child("Condition")?.Child("ArnLike")?.Text("AWS:SourceArn")).With("SourceAccount", equals?.Text("AWS:SourceAccount")).With("FunctionUrlAuthType", equals?.Text("lambda:FunctionUrlAuthType"));
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", Id(id).Statement))),
        };
    }

    private static Provider Mapping(LambdaService service)
    {
        static JsonObject Id(string id) => new() { ["UUID"] = id };
        Task Settled(ProvisionContext context, string id) => context.WaitUntilAsync(async () => (await service.CallAsync(context, "GetEventSourceMapping", Id(id)).ConfigureAwait(false)).Text("State") is "Enabled" or "Disabled");
        return new Provider("AWS::Lambda::EventSourceMapping")
        {
            Busy = ["ResourceInUseException"],
            Create = async (context, properties) =>
            {
                var id = (await service.CallMappedAsync(context, "CreateEventSourceMapping", properties.Tagged(context)).ConfigureAwait(false)).Required("UUID");
                context.Initiated(id);
                await Settled(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await service.CallMappedAsync(context, "UpdateEventSourceMapping", after.Copy().With("UUID", id)).ConfigureAwait(false);
                await Settled(context, id).ConfigureAwait(false);
                await service.RetagAsync(context, before, after, context.Request.Arn("lambda", "event-source-mapping:" + id), "Resource", "Tags", "TagKeys").ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                await service.CallAsync(context, "DeleteEventSourceMapping", Id(id)).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => await service.CallAsync(context, "GetEventSourceMapping", Id(id)).ConfigureAwait(false) is null).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var mapping = await service.CallAsync(context, "GetEventSourceMapping", Id(id)).ConfigureAwait(false);
                return mapping.Pick("EventSourceArn", "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes", "ScalingConfig", "DestinationConfig", "ParallelizationFactor", "MaximumRecordAgeInSeconds",
                    "MaximumRetryAttempts", "BisectBatchOnFunctionError", "TumblingWindowInSeconds", "StartingPosition").With("FunctionName", mapping.Text("FunctionArn")).With("Enabled", mapping.Text("State") == "Enabled")
                    .With("Tags", Tags.OfTemplate(Tags.FromMap(mapping.Child("_Tags"))));
            },
            Attributes = (context, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id), ("EventSourceMappingArn", context.Request.Arn("lambda", "event-source-mapping:" + id)))),
        };
    }

    private static Provider InvokeConfig(LambdaService service)
    {
        static JsonObject Id(string id) => Named(id.Split('|')[0], id.Split('|')[1]);
        Task Put(ProvisionContext context, JsonObject properties) => service.CallMappedAsync(context, "PutFunctionEventInvokeConfig", properties);
        return new Provider("AWS::Lambda::EventInvokeConfig")
        {
            Create = async (context, properties) =>
            {
                await Put(context, properties).ConfigureAwait(false);
                return $"{properties.Text("FunctionName")}|{properties.Text("Qualifier")}";
            },
            Update = (context, _, _, after) => Put(context, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteFunctionEventInvokeConfig", Id(id)),
            Read = async (context, id) => (await service.CallAsync(context, "GetFunctionEventInvokeConfig", Id(id)).ConfigureAwait(false))
                .Pick("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig").With("FunctionName", id.Split('|')[0]).With("Qualifier", id.Split('|')[1]),
        };
    }

    private static Provider Url(LambdaService service)
    {
        static JsonObject Id(string arn) => Named(arn.Split(':')[6], arn.Split(':') is { Length: > 7 } parts ? parts[7] : null);
        return new Provider("AWS::Lambda::Url")
        {
            Create = async (context, properties) => (await service.CallMappedAsync(context, "CreateFunctionUrlConfig", properties, ("TargetFunctionArn", "FunctionName")).ConfigureAwait(false)).Required("FunctionArn"),
            Update = (context, arn, _, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateFunctionUrlConfig", after.Pick("AuthType", "Cors", "InvokeMode"));
                foreach (var (key, value) in Id(arn))
                {
                    input[key] = value.Copy();
                }
                return service.CallAsync(context, "UpdateFunctionUrlConfig", input);
            },
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteFunctionUrlConfig", Id(arn)),
            Read = async (context, arn) => (await service.CallAsync(context, "GetFunctionUrlConfig", Id(arn)).ConfigureAwait(false)).Pick("AuthType", "Cors", "InvokeMode").With("TargetFunctionArn", arn),
            Attributes = async (context, arn) => ProviderExtensions.Attributes(("FunctionArn", arn), ("FunctionUrl", (await service.CallAsync(context, "GetFunctionUrlConfig", Id(arn)).ConfigureAwait(false))["FunctionUrl"])),
        };
    }

    private static Provider LayerVersion(LambdaService service) => new("AWS::Lambda::LayerVersion")
    {
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "PublishLayerVersion", properties);
            input["LayerName"] = context.NameOf(properties, "LayerName", 140);
            return (await service.CallAsync(context, "PublishLayerVersion", input).ConfigureAwait(false)).Required("LayerVersionArn");
        },
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteLayerVersion", new JsonObject { ["LayerName"] = arn.Split(':')[6], ["VersionNumber"] = arn.Split(':')[7] }),
        Gone = ["ResourceNotFoundException", "InvalidParameterValueException"],
        Read = async (context, arn) => (await service.CallAsync(context, "GetLayerVersionByArn", new JsonObject { ["Arn"] = arn }).ConfigureAwait(false))
            .Pick("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo").With("LayerName", arn.Split(':')[6]),
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("LayerVersionArn", arn))),
    };
}
