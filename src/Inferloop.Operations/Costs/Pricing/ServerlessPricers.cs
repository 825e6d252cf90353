using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Lambda, API Gateway, queues, topics, events and state machines: all charged by use.</summary>
internal static class ServerlessPricers
{
    private const decimal DefaultMemory = 128;
    private const decimal IncludedStorage = 512;

    // What the extension of Lambda Insights publishes, by AWS's example of its event and of its price.
    private const decimal InsightsMetrics = 8;
    private const decimal InsightsKilobytes = 1.1m;
    public const string FunctionType = "AWS::Lambda::Function";

    public static void Function(CostedResource function, CostSheet sheet)
    {
        var rotation = RotationFunctions.Calls(sheet);
        var functions = Count(sheet, FunctionType) - rotation.Count;
        var rotates = rotation.TryGetValue(function, out var rotations);
        var calls = rotates ? rotations : CostSheet.Share(sheet.Usage.LambdaInvocations, functions);
        var seconds = calls * sheet.Usage.LambdaMilliseconds / 1000;
        var architecture = Architecture(function);
        var memory = (function.Number("MemorySize") ?? DefaultMemory) / 1024;
        var sharing = rotates ? "four calls for each rotation of a secret" : NetworkPricers.Sharing(functions, "function");
        sheet.Add(function, "Lambda requests", "lambda", architecture + "_request", calls, sharing);
        sheet.Add(
            function, "Lambda time", "lambda", architecture + "_gb_second", seconds * memory,
            string.Create(CultureInfo.InvariantCulture, $"{calls:#,0.##} calls of {sheet.Usage.LambdaMilliseconds:0.##} ms with {memory * 1024:0.##} MB; {sharing}"));
        var storage = Math.Max(0, (function.Number("EphemeralStorage", "Size") ?? IncludedStorage) - IncludedStorage) / 1024;
        sheet.Add(function, "Lambda storage", "lambda", architecture + "_ephemeral_storage_gb_second", seconds * storage, $"beyond the free {IncludedStorage} MB; {sharing}");
        if (function.Text("TracingConfig", "Mode") == "Active")
        {
            Traces(function, sheet);
        }

        if (function.Items("Layers").Any(l => l.AsString()?.Contains(":layer:LambdaInsightsExtension", StringComparison.Ordinal) == true))
        {
            sheet.Add(function, "Lambda Insights metrics", "cloudwatch", "metric_month", InsightsMetrics, "8 metrics of a function");
            sheet.Add(function, "Lambda Insights events", "cloudwatch", "logs_ingest_standard_gb", calls * InsightsKilobytes / 1024 / 1024, $"about 1.1 KB a call; {sharing}");
        }
    }

    /// <summary>A version or an alias: free, unless capacity is kept ready for it.</summary>
    public static void ProvisionedConcurrency(CostedResource version, CostSheet sheet)
    {
        if (version.Number("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions") is not { } ready || ready == 0)
        {
            sheet.AddFree(version);
            return;
        }

        if (version.Uses(FunctionType).Concat(version.Sources(version.Get("FunctionName"))).FirstOrDefault() is not { } function)
        {
            sheet.AddUnpriced(version, "Provisioned concurrency", ready * Month.Seconds, "second", "Its function is not in the template, so the memory is not known.");
            return;
        }

        var memory = (function.Number("MemorySize") ?? DefaultMemory) / 1024;
        sheet.Add(
            version, "Provisioned concurrency", "lambda", Architecture(function) + "_provisioned_concurrency_gb_second", ready * memory * Month.Seconds,
            string.Create(CultureInfo.InvariantCulture, $"{ready:0.##} environments of {memory * 1024:0.##} MB ready all month"));
    }

    public static void HttpApi(CostedResource api, CostSheet sheet)
    {
        var apis = sheet.Scope.Once("apis", s => s.OfType("AWS::ApiGatewayV2::Api").Count + s.OfType("AWS::ApiGateway::RestApi").Count);
        var requests = CostSheet.Share(sheet.Usage.ApiRequests, apis);
        var sharing = NetworkPricers.Sharing(apis, "API");
        if (api.Text("ProtocolType") != "WEBSOCKET")
        {
            sheet.Add(api, "API requests", "api_gateway", api.Type == "AWS::ApiGateway::RestApi" ? "rest_request" : "http_request", requests, sharing);
            return;
        }

        sheet.Add(api, "WebSocket messages", "api_gateway", "websocket_message", requests, sharing);
        sheet.Add(api, "WebSocket connections", "api_gateway", "websocket_connection_minute", CostSheet.Share(sheet.Usage.ApiConnectionMinutes, apis), sharing);
    }

    public static void Stage(CostedResource stage, CostSheet sheet)
    {
        if (stage.Flag("TracingEnabled"))
        {
            Traces(stage, sheet);
        }

        if (stage.Flag("CacheClusterEnabled"))
        {
            var size = stage.Text("CacheClusterSize") ?? "0.5";
            sheet.Add(stage, "API cache", "api_gateway", $"cache_{size.Replace('.', '_')}_gb_hour", Month.Hours, $"{size} GB all month");
        }
        else if (!stage.Flag("TracingEnabled"))
        {
            sheet.AddFree(stage);
        }
    }

    public static void Queue(CostedResource queue, CostSheet sheet)
    {
        var queues = Count(sheet, queue.Type);
        sheet.Add(
            queue, "Queue requests", "sqs", queue.Flag("FifoQueue") ? "fifo_request" : "standard_request", CostSheet.Share(sheet.Usage.QueueRequests, queues),
            NetworkPricers.Sharing(queues, "queue"));
    }

    public static void Topic(CostedResource topic, CostSheet sheet)
    {
        var topics = Count(sheet, topic.Type);
        var sharing = NetworkPricers.Sharing(topics, "topic");
        var fifo = topic.Flag("FifoTopic");
        sheet.Add(topic, "Topic requests", "sns", fifo ? "fifo_publish_request" : "standard_api_request", CostSheet.Share(sheet.Usage.TopicRequests, topics), sharing);
        if (fifo)
        {
            return;
        }

        var mailing = sheet.Scope.Once("topics with e-mail", scope => scope.OfType("AWS::SNS::Topic").Where(HasEmail).ToHashSet());
        if (mailing.Contains(topic))
        {
            sheet.Add(topic, "E-mails", "sns", "email_notification", CostSheet.Share(sheet.Usage.TopicEmails, mailing.Count), NetworkPricers.Sharing(mailing.Count, "topic"));
        }
    }

    public static void EventBus(CostedResource bus, CostSheet sheet)
    {
        var buses = Count(sheet, bus.Type);
        sheet.Add(bus, "Custom events", "eventbridge", "custom_event", CostSheet.Share(sheet.Usage.CustomEvents, buses), NetworkPricers.Sharing(buses, "bus"));
    }

    public static void EventArchive(CostedResource archive, CostSheet sheet)
    {
        // An event of 5 KB, as AWS's own examples have it.
        var archives = Count(sheet, archive.Type);
        var gb = CostSheet.Share(sheet.Usage.CustomEvents, archives) * 5 / 1024 / 1024;
        var months = archive.Number("RetentionDays") is { } days and > 0 ? Month.FromDays(days) : 12;
        sheet.Add(archive, "Events archived", "eventbridge", "archive_processing_gb", gb, "events of about 5 KB");
        sheet.Add(archive, "Event archive", "eventbridge", "archive_storage_gb_month", gb * months, string.Create(CultureInfo.InvariantCulture, $"{months:0.##} months of them"));
    }

    public static void StateMachine(CostedResource machine, CostSheet sheet)
    {
        var machines = Count(sheet, machine.Type);
        var transitions = CostSheet.Share(sheet.Usage.StateTransitions, machines);
        if (machine.Text("StateMachineType") == "EXPRESS")
        {
            sheet.Add(machine, "Express executions", "step_functions", "express_request", transitions, NetworkPricers.Sharing(machines, "state machine"));
            sheet.AddUnpriced(machine, "Express execution time", null, "gb_hour", "Their duration and memory are in no usage profile.");
            return;
        }

        sheet.Add(machine, "State transitions", "step_functions", "standard_state_transition", transitions, NetworkPricers.Sharing(machines, "state machine"));
    }

    private static void Traces(CostedResource resource, CostSheet sheet)
    {
        var traced = sheet.Scope.Once("traced", s => s.OfType(FunctionType).Count(f => f.Text("TracingConfig", "Mode") == "Active")
            + s.OfType("AWS::ApiGateway::Stage").Count(a => a.Flag("TracingEnabled")));
        sheet.Add(resource, "X-Ray traces", "xray", "trace_recorded", CostSheet.Share(sheet.Usage.Traces, traced), NetworkPricers.Sharing(traced, "traced resource"));
    }

    private static bool HasEmail(CostedResource topic) =>
        topic.Items("Subscription").Any(IsEmail) || topic.UsedBy("AWS::SNS::Subscription").Any(s => IsEmail(s.Properties));

    private static bool IsEmail(Value subscription) => subscription["Protocol"]?.AsString() is "email" or "email-json";

    private static string Architecture(CostedResource function) => function.Items("Architectures").Any(a => a.AsString() == "arm64") ? "arm" : "x86";

    private static int Count(CostSheet sheet, string type) => sheet.Scope.OfType(type).Count;
}
