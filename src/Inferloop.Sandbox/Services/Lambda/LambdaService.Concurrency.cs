using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>Reserved and provisioned concurrency.</summary>
internal sealed partial class LambdaService
{
    private const int AccountConcurrency = 1000;
    private const int MinimumUnreserved = 100;

    private void AddConcurrency()
    {
        On("PutFunctionConcurrency", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Required("FunctionName");
            var wanted = input.Int("ReservedConcurrentExecutions") ?? 0;
            if (AccountConcurrency - Reserved(context, name) - wanted < MinimumUnreserved)
            {
                throw Invalid($"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{MinimumUnreserved}].");
            }
            if (AllProvisionedOf(context, name, null) > wanted)
            {
                throw Invalid("ReservedConcurrentExecutions should not be lower than function's total provisioned concurrency");
            }
            Functions(context).Update(name, document => document["_Concurrency"] = wanted);
            return new JsonObject { ["ReservedConcurrentExecutions"] = wanted };
        });
        On("GetFunctionConcurrency", (context, input) => new JsonObject().With("ReservedConcurrentExecutions", Function(context, Named(input).Name)["_Concurrency"].Copy()));
        On("DeleteFunctionConcurrency", (context, input) =>
        {
            Functions(context).Update(Function(context, Named(input).Name).Required("FunctionName"), document => document.Remove("_Concurrency"));
            return [];
        });
        On("PutProvisionedConcurrencyConfig", (context, input) => PutProvisioned(context, input));
        On("GetProvisionedConcurrencyConfig", (context, input) => ProvisionedConfig(context, input));
        On("DeleteProvisionedConcurrencyConfig", (context, input) =>
        {
            Provisioned(context).Remove(QualifiedKey(input));
            return [];
        });
        On("ListProvisionedConcurrencyConfigs", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Text("FunctionName");
            return Pages.Answer(input, Provisioned(context).Where(item => item.Text("_Function") == name).ToList(), "ProvisionedConcurrencyConfigs", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
    }

    private Collection Provisioned(RequestContext context) => Collection(context, "provisioned-concurrency");

    /// <summary>The calls at once that an alias or version is to be kept ready for; null without a configuration.</summary>
    public int? ProvisionedOf(RequestContext context, string name, string qualifier) =>
        Provisioned(context).Find(item => item.Text("_Function") == name && item.Text("_Qualifier") == qualifier)?.Int("RequestedProvisionedConcurrentExecutions");

    private int Reserved(RequestContext context, string? except) => Functions(context).All().Where(function => function.Text("FunctionName") != except).Sum(function => function.Int("_Concurrency") ?? 0);

    private int AllProvisionedOf(RequestContext context, string name, string? except) =>
        Provisioned(context).Where(item => item.Text("_Function") == name && item.Text("_Qualifier") != except).Sum(item => item.Int("RequestedProvisionedConcurrentExecutions") ?? 0);

    private JsonObject ProvisionedConfig(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        _ = Resolve(context, name, qualifier);
        return Provisioned(context).Get(QualifiedKey(input)) ?? throw Fault("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function", 404);
    }

    private JsonObject PutProvisioned(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        var version = Resolve(context, name, qualifier);
        if (version.Text("Version") == Latest)
        {
            throw Invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
        }
        var wanted = input.Int("ProvisionedConcurrentExecutions") ?? 0;
        var limit = Function(context, name).Int("_Concurrency") ?? AccountConcurrency - Reserved(context, null) - MinimumUnreserved;
        if (wanted + AllProvisionedOf(context, name, qualifier) > limit)
        {
            throw Invalid($"Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function");
        }
        var key = QualifiedKey(input);
        var config = new JsonObject
        {
            ["FunctionArn"] = ArnOf(context, name, qualifier),
            ["RequestedProvisionedConcurrentExecutions"] = wanted,
            ["AvailableProvisionedConcurrentExecutions"] = 0,
            ["AllocatedProvisionedConcurrentExecutions"] = 0,
            ["Status"] = "IN_PROGRESS",
            ["LastModified"] = Moment(context.Now),
            ["_Function"] = name,
            ["_Qualifier"] = qualifier,
        };
        Provisioned(context).Put(key, config);
        Runtime.After(Durations.LambdaProvisionedConcurrency, () => Provisioned(context).Update(key, document =>
        {
            if (document.Int("RequestedProvisionedConcurrentExecutions") == wanted)
            {
                document["AvailableProvisionedConcurrentExecutions"] = wanted;
                document["AllocatedProvisionedConcurrentExecutions"] = wanted;
                document["Status"] = "READY";
            }
        }));
        return config;
    }
}
