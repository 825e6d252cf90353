using System.Collections;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Amazon;
using Amazon.Runtime;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>The official and the generated client say the same bytes and understand the same answers, operation by operation.</summary>
public sealed partial class WireTests
{
    private static readonly string Models = Path.Combine(Repository.Root, "src", "Inferloop.Aws.Generator", "Models");

    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public async Task Both_send_the_same_bytes(string service)
    {
        ServicePair pair = ServicePair.Of(service);
        AnswerMaker answers = new(Path.Combine(Models, service + ".json"));
        List<string> failures = [];
        foreach (string operation in pair.CommonOperations())
        {
            RecordedRequest official = await SendAsync(pair.OfficialClient, pair, operation, answers);
            RecordedRequest generated = await SendAsync(pair.GeneratedClient, pair, operation, answers);
            if (Compare(official, generated, ToleratedDifferences.MemberOrder.ContainsKey($"{service} {operation}")) is { } difference)
            {
                failures.Add($"{operation}: {difference}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} operations differ:\n{string.Join("\n", failures.Take(20))}");
    }

    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public async Task Both_send_the_same_bytes_for_an_empty_request(string service)
    {
        ServicePair pair = ServicePair.Of(service);
        AnswerMaker answers = new(Path.Combine(Models, service + ".json"));
        foreach (string operation in pair.CommonOperations())
        {
            RecordedRequest official = await SendAsync(pair.OfficialClient, pair, operation, answers, fill: false);
            RecordedRequest generated = await SendAsync(pair.GeneratedClient, pair, operation, answers, fill: false);
            string? difference = Compare(official, generated, false);
            Assert.True(difference is null, $"{operation}: {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public async Task Both_read_the_same_answer(string service)
    {
        ServicePair pair = ServicePair.Of(service);
        AnswerMaker answers = new(Path.Combine(Models, service + ".json"));
        List<string> failures = [];
        int compared = 0;
        foreach (string operation in pair.CommonOperations().Where(o => !ToleratedDifferences.NotRead.ContainsKey($"{service} {o}")))
        {
            object official = await CallAsync(pair.OfficialClient, pair, operation, new RecordedAnswer(HttpStatusCode.OK, answers.ContentType, answers.Answer(operation)));
            object generated = await CallAsync(pair.GeneratedClient, pair, operation, new RecordedAnswer(HttpStatusCode.OK, answers.ContentType, answers.Answer(operation)));
            List<string> differences = [];
            compared += CompareObjects(official, generated, operation, differences);
            failures.AddRange(differences);
        }

        Assert.True(failures.Count == 0, $"{failures.Count} values differ:\n{string.Join("\n", failures.Take(40))}");
        Assert.True(compared > 20, $"only {compared} values compared");
    }

    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public async Task Both_throw_the_same_error(string service)
    {
        ServicePair pair = ServicePair.Of(service);
        AnswerMaker answers = new(Path.Combine(Models, service + ".json"));
        List<string> failures = [];
        foreach (string operation in pair.CommonOperations())
        {
            foreach ((string shape, string code) in answers.Errors(operation).Append(("UnheardOfException", "UnheardOf")).Where(e => e.Item1 == "UnheardOfException" || pair.Official.GetType($"{pair.Namespace}.Model.{e.Item1}") is not null))
            {
                byte[] body = shape == "UnheardOfException"
                    ? Encoding.UTF8.GetBytes(answers.IsXml
                        ? "<ErrorResponse><Error><Type>Sender</Type><Code>UnheardOf</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                        : "{\"__type\":\"UnheardOf\",\"message\":\"m\"}")
                    : answers.Error(shape, code);
                Dictionary<string, string> headers = new() { ["x-amzn-RequestId"] = "11111111-2222-3333-4444-555555555555" };
                if (service == "sqs")
                {
                    headers["x-amzn-query-error"] = code + ";Sender";
                }

                RecordedAnswer answer = new(HttpStatusCode.BadRequest, answers.ContentType, body, headers);
                Exception official = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => CallAsync(pair.OfficialClient, pair, operation, answer));
                Exception generated = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => CallAsync(pair.GeneratedClient, pair, operation, answer));
                if (official.GetType().FullName != generated.GetType().FullName)
                {
                    failures.Add($"{operation} {shape}: {official.GetType().FullName} / {generated.GetType().FullName}");
                }

                CompareObjects(official, generated, $"{operation} {shape}", failures);
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} errors differ:\n{string.Join("\n", failures.Distinct().Take(40))}");
    }

    private static async Task<RecordedRequest> SendAsync(Type clientType, ServicePair pair, string operation, AnswerMaker answers, bool fill = true)
    {
        WireRecorder recorder = new() { Answer = _ => new RecordedAnswer(HttpStatusCode.OK, answers.ContentType, answers.Answer(operation)) };
        try
        {
            await CallAsync(clientType, pair, operation, recorder, fill);
        }
        catch (Exception) when (ToleratedDifferences.NotRead.ContainsKey($"{pair.File} {operation}") && recorder.Requests.Count == 1)
        {
            // Sent, which is what counts here; the answer could not please the client.
        }

        return Assert.Single(recorder.Requests);
    }

    private static Task<object> CallAsync(Type clientType, ServicePair pair, string operation, RecordedAnswer answer) =>
        CallAsync(clientType, pair, operation, new WireRecorder { Answer = _ => answer }, fill: false);

    private static async Task<object> CallAsync(Type clientType, ServicePair pair, string operation, WireRecorder recorder, bool fill)
    {
        Type configType = clientType.Assembly.GetType(clientType.FullName![..^"Client".Length] + "Config", throwOnError: true)!;
        ClientConfig config = (ClientConfig)Activator.CreateInstance(configType)!;
        config.RegionEndpoint = RegionEndpoint.EUWest1;
        config.HttpClientFactory = recorder;
        config.MaxErrorRetry = 0;
        Switch(config, "ValidateServiceResponses", false);
        Switch(config, "EndpointDiscoveryEnabled", false);
        using AmazonServiceClient client = (AmazonServiceClient)Activator.CreateInstance(clientType, new BasicAWSCredentials("AKIDEXAMPLE", "secret"), config)!;
        MethodInfo method = ServicePair.Operation(clientType, operation);
        Type requestType = method.GetParameters()[0].ParameterType;
        object request = fill ? Fillers.GetValueOrAdd(pair, () => new Filler(CommonTypes(pair))).Request(requestType) : Activator.CreateInstance(requestType)!;
        Task task = (Task)method.Invoke(client, [request, TestContext.Current.CancellationToken])!;
        await task;
        return task.GetType().GetProperty("Result")!.GetValue(task)!;
    }

    private static readonly Cache<ServicePair, Filler> Fillers = new();

    private static Type[] CommonTypes(ServicePair pair)
    {
        Dictionary<string, Type> generated = pair.Generated.GetExportedTypes().Where(t => t.Namespace == pair.Namespace + ".Model").ToDictionary(t => t.FullName!);
        return [.. pair.Official.GetExportedTypes().Where(t => t.FullName is { } n && generated.ContainsKey(n)).SelectMany(t => new[] { t, generated[t.FullName!] })];
    }

    private static void Switch(ClientConfig config, string property, bool value) => config.GetType().GetProperty(property)?.SetValue(config, value);

    private static string? Compare(RecordedRequest official, RecordedRequest generated, bool anyOrder)
    {
        if (official.Method != generated.Method || official.Uri != generated.Uri)
        {
            return $"{official.Method} {official.Uri} / {generated.Method} {generated.Uri}";
        }

        // The clients make up an idempotency token where the caller gave none.
        string officialBody = GuidPattern().Replace(Encoding.UTF8.GetString(official.Body), "(token)");
        string generatedBody = GuidPattern().Replace(Encoding.UTF8.GetString(generated.Body), "(token)");
        if (officialBody != generatedBody && !(anyOrder && JsonNode.DeepEquals(JsonNode.Parse(officialBody), JsonNode.Parse(generatedBody))))
        {
            return $"bodies\n    {officialBody}\n    {generatedBody}";
        }

        string[] names = [.. official.Headers.Keys.Union(generated.Headers.Keys, StringComparer.OrdinalIgnoreCase).Where(n => !ToleratedDifferences.Headers.ContainsKey(n))];
        if (!official.Body.AsSpan().SequenceEqual(generated.Body))
        {
            // Another token or another order: the hash over it is another too.
            names = [.. names.Where(n => !n.Equals("X-Amz-Content-SHA256", StringComparison.OrdinalIgnoreCase))];
        }

        if (names.FirstOrDefault(n => official.Headers.GetValueOrDefault(n) != generated.Headers.GetValueOrDefault(n)) is { } header)
        {
            return $"{header}: {official.Headers.GetValueOrDefault(header)} / {generated.Headers.GetValueOrDefault(header)}";
        }

        return Scope(official) == Scope(generated) ? null : $"signed as {Scope(official)} / {Scope(generated)}";
    }

    /// <summary>Everything of the Authorization header but the signature and the day.</summary>
    private static string Scope(RecordedRequest request) =>
        request.Headers.TryGetValue("Authorization", out string? text) ? SignaturePattern().Replace(text, "") : "unsigned";

    private static int CompareObjects(object? official, object? generated, string path, List<string> differences)
    {
        if (official is null || generated is null)
        {
            if (official is not null || generated is not null)
            {
                differences.Add($"{path}: {official ?? "null"} / {generated ?? "null"}");
            }

            return 1;
        }

        switch (official)
        {
            case string or ValueType when official is not (IEnumerable and not string):
                if (!official.Equals(generated))
                {
                    differences.Add($"{path}: {official} / {generated}");
                }
                else if (official is DateTime time && time.Kind != ((DateTime)generated).Kind)
                {
                    differences.Add($"{path}: {time.Kind} / {((DateTime)generated).Kind}");
                }

                return 1;
            case ConstantClass constant:
                return CompareObjects(constant.Value, ((ConstantClass)generated).Value, path, differences);
            case MemoryStream stream:
                return CompareObjects(Convert.ToBase64String(stream.ToArray()), Convert.ToBase64String(((MemoryStream)generated).ToArray()), path, differences);
            case IDictionary map:
                IDictionary otherMap = (IDictionary)generated;
                int values = CompareObjects(map.Count, otherMap.Count, path + ".Count", differences);
                return values + map.Keys.Cast<object>().Sum(k => CompareObjects(map[k], otherMap[k], $"{path}{{{k}}}", differences));
            case IList list:
                IList otherList = (IList)generated;
                if (list.Count != otherList.Count)
                {
                    return CompareObjects(list.Count, otherList.Count, path + ".Count", differences);
                }

                return Enumerable.Range(0, list.Count).Sum(i => CompareObjects(list[i], otherList[i], $"{path}[{i}]", differences));
        }

        int compared = 0;
        foreach (PropertyInfo property in generated.GetType().GetProperties().Where(p => p.GetIndexParameters().Length == 0 && p.Name is not ("TargetSite" or "StackTrace" or "Data" or "HResult" or "Source" or "InnerException" or "ResponseMetadata" or "HelpLink")))
        {
            if (official.GetType().GetProperty(property.Name) is { } counterpart)
            {
                compared += CompareObjects(counterpart.GetValue(official), property.GetValue(generated), $"{path}.{property.Name}", differences);
            }
        }

        return compared;
    }

    [GeneratedRegex(@"/\d{8}/|Signature=[0-9a-f]+")]
    private static partial Regex SignaturePattern();

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex GuidPattern();

    private sealed class Cache<TKey, TValue>
        where TKey : notnull
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<TKey, TValue> values = new();

        public TValue GetValueOrAdd(TKey key, Func<TValue> make) => values.GetOrAdd(key, _ => make());
    }
}
