using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>The client, its interface, its configuration and its paginators.</summary>
internal sealed class ClientEmitter(ServiceModel model)
{
    private readonly Naming naming = new(model);
    private readonly ServiceNames names = model.Names;

    private string Factory => $"{names.Namespace}PaginatorFactory";

    private bool HasPaginators => model.Operations.Any(IsPaginated);

    public string Emit()
    {
        CodeWriter code = new();
        TypeEmitter.Header(code);
        using (code.Block($"namespace {names.Root}"))
        {
            EmitInterface(code);
            EmitClient(code);
            EmitConfig(code);
            EmitDefaults(code);
        }

        if (HasPaginators)
        {
            using (code.Block($"namespace {names.Model}"))
            {
                EmitPaginators(code);
            }
        }

        return code.ToString();
    }

    private static bool IsPaginated(Operation operation) =>
        operation.Pagination is { InputTokens.Count: > 0, OutputTokens.Count: > 0 } && operation.Input is not null && operation.Output is not null;

    private string Signature(Operation operation) =>
        $"global::System.Threading.Tasks.Task<global::{names.Model}.{Naming.ResponseName(operation)}> {operation.Name}Async(global::{names.Model}.{Naming.RequestName(operation)} request, global::System.Threading.CancellationToken cancellationToken = default)";

    private void EmitInterface(CodeWriter code)
    {
        code.Summary(null, $"The operations of {model.FullName}.");
        using (code.Block($"public partial interface {names.Interface} : global::Amazon.Runtime.IAmazonService, global::System.IDisposable"))
        {
            if (HasPaginators)
            {
                code.Summary(null, "All pages of an operation, one after the other.");
                code.Line($"global::{names.Model}.I{Factory} Paginators {{ get; }}");
            }

            foreach (Operation operation in model.Operations)
            {
                code.Summary(operation.Documentation, $"Calls {operation.Name}.");
                Deprecation(code, operation);
                code.Line(Signature(operation) + ";");
            }

            code.Summary(null, "The endpoint a request would go to.");
            code.Line("global::Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(global::Amazon.Runtime.AmazonWebServiceRequest request);");
            code.Line($"static global::Amazon.Runtime.ClientConfig global::Amazon.Runtime.IAmazonService.CreateDefaultClientConfig() => new {names.Base}Config();");
            code.Line($"static global::Amazon.Runtime.IAmazonService global::Amazon.Runtime.IAmazonService.CreateDefaultServiceClient(global::Amazon.Runtime.AWSCredentials awsCredentials, global::Amazon.Runtime.ClientConfig clientConfig) => new {names.Base}Client(awsCredentials, (({names.Base}Config)clientConfig));");
        }
    }

    private void EmitClient(CodeWriter code)
    {
        string config = $"{names.Base}Config";
        code.Summary(null, $"A client of {model.FullName}.");
        using (code.Block($"public partial class {names.Base}Client : global::Amazon.Runtime.AmazonServiceClient, {names.Interface}"))
        {
            code.Line($"private static readonly global::Amazon.Runtime.Internal.IServiceMetadata Metadata = new global::Inferloop.Aws.Clients.ModelMetadata({Naming.Literal(model.ServiceId)});");
            Constructors(code, config);
            if (HasPaginators)
            {
                code.Line($"private global::{names.Model}.I{Factory} _paginators;");
                code.Summary(null, "All pages of an operation, one after the other.");
                code.Line($"public global::{names.Model}.I{Factory} Paginators => _paginators ??= new global::{names.Model}.{Factory}(this);");
            }

            code.Line("/// <inheritdoc/>");
            code.Line("protected override global::Amazon.Runtime.Internal.IServiceMetadata ServiceMetadata => Metadata;");
            code.Line("/// <inheritdoc/>");
            using (code.Block("protected override void CustomizeRuntimePipeline(global::Amazon.Runtime.Internal.RuntimePipeline pipeline)"))
            {
                code.Line("pipeline.RemoveHandler<global::Amazon.Runtime.Internal.EndpointResolver>();");
                code.Line($"pipeline.AddHandlerAfter<global::Amazon.Runtime.Internal.Marshaller>(new global::{names.Root}.Internal.{names.Base}EndpointResolver());");
                code.Line($"pipeline.AddHandlerAfter<global::{names.Root}.Internal.{names.Base}EndpointResolver>(new global::Inferloop.Aws.Clients.ModelAuthSchemeHandler({UnsignedOperations()}));");
            }

            code.Line("/// <inheritdoc/>");
            code.Line("protected override void Dispose(bool disposing) => base.Dispose(disposing);");
            foreach (Operation operation in model.Operations)
            {
                code.Summary(operation.Documentation, $"Calls {operation.Name}.");
                Deprecation(code, operation);
                using (code.Block("public virtual " + Signature(operation)))
                {
                    code.Line($"return InvokeAsync<global::{names.Model}.{Naming.ResponseName(operation)}>(request, global::{names.Root}.Internal.{names.Class}Operations.{operation.Name}.Options, cancellationToken);");
                }
            }

            code.Summary(null, "The endpoint a request would go to.");
            using (code.Block("public global::Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(global::Amazon.Runtime.AmazonWebServiceRequest request)"))
            {
                code.Line("return Config.DetermineServiceOperationEndpoint(new global::Amazon.Runtime.Endpoints.ServiceOperationEndpointParameters(request));");
            }
        }
    }

    private string UnsignedOperations() =>
        string.Join(", ", model.Operations.Where(o => o.IsUnsigned).Select(o => Naming.Literal(Naming.RequestName(o))));

    private void Constructors(CodeWriter code, string config)
    {
        (string Parameters, string Base)[] constructors =
        [
            ("", $"base(new {config}())"),
            ("global::Amazon.RegionEndpoint region", $"base(new {config} {{ RegionEndpoint = region }})"),
            ($"{config} config", "base(config)"),
            ("global::Amazon.Runtime.AWSCredentials credentials", $"this(credentials, new {config}())"),
            ("global::Amazon.Runtime.AWSCredentials credentials, global::Amazon.RegionEndpoint region", $"this(credentials, new {config} {{ RegionEndpoint = region }})"),
            ($"global::Amazon.Runtime.AWSCredentials credentials, {config} clientConfig", "base(credentials, clientConfig)"),
            ("string awsAccessKeyId, string awsSecretAccessKey", $"this(awsAccessKeyId, awsSecretAccessKey, new {config}())"),
            ("string awsAccessKeyId, string awsSecretAccessKey, global::Amazon.RegionEndpoint region", $"this(awsAccessKeyId, awsSecretAccessKey, new {config} {{ RegionEndpoint = region }})"),
            ($"string awsAccessKeyId, string awsSecretAccessKey, {config} clientConfig", "base(awsAccessKeyId, awsSecretAccessKey, clientConfig)"),
            ("string awsAccessKeyId, string awsSecretAccessKey, string awsSessionToken", $"this(awsAccessKeyId, awsSecretAccessKey, awsSessionToken, new {config}())"),
            ("string awsAccessKeyId, string awsSecretAccessKey, string awsSessionToken, global::Amazon.RegionEndpoint region", $"this(awsAccessKeyId, awsSecretAccessKey, awsSessionToken, new {config} {{ RegionEndpoint = region }})"),
            ($"string awsAccessKeyId, string awsSecretAccessKey, string awsSessionToken, {config} clientConfig", "base(awsAccessKeyId, awsSecretAccessKey, awsSessionToken, clientConfig)"),
        ];
        foreach ((string parameters, string initializer) in constructors)
        {
            code.Summary(null, "A client with what is given; the rest comes from the environment.");
            code.Line($"public {names.Base}Client({parameters}) : {initializer} {{ }}");
        }
    }

    private void EmitConfig(CodeWriter code)
    {
        code.Summary(null, $"How to reach {model.FullName}.");
        using (code.Block($"public partial class {names.Base}Config : global::Amazon.Runtime.ClientConfig"))
        {
            code.Line("private static readonly string Agent = global::Amazon.Util.Internal.InternalSDKUtils.BuildUserAgentString(ServiceId, global::Inferloop.Aws.Clients.ClientVersion.Text);");
            code.Summary(null, "The configuration the environment gives.");
            using (code.Block($"public {names.Base}Config() : base(new global::Amazon.Runtime.Internal.DefaultConfigurationProvider({names.Base}DefaultConfiguration.GetAllConfigurations()))"))
            {
                code.Line($"base.ServiceId = {Naming.Literal(model.ServiceId)};");
                code.Line($"AuthenticationServiceName = {Naming.Literal(model.SigningName)};");
                code.Line($"EndpointProvider = new global::{names.Root}.Internal.{names.Base}EndpointProvider();");
            }

            code.Summary(null, "The service's unique identifier.");
            code.Line($"public static new string ServiceId => {Naming.Literal(model.ServiceId)};");
            code.Line("/// <inheritdoc/>");
            code.Line($"public override string RegionEndpointServiceName => {Naming.Literal(model.EndpointPrefix)};");
            code.Line("/// <inheritdoc/>");
            code.Line($"public override string ServiceVersion => {Naming.Literal(model.ApiVersion)};");
            code.Line("/// <inheritdoc/>");
            code.Line("public override string UserAgent => Agent;");
            code.Line("/// <inheritdoc/>");
            using (code.Block("public override global::Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(global::Amazon.Runtime.Endpoints.ServiceOperationEndpointParameters parameters)"))
            {
                code.Line($"return global::Inferloop.Aws.Clients.ModelEndpoints.Determine(new global::{names.Root}.Internal.{names.Base}EndpointResolver(), this, parameters);");
            }
        }
    }

    private void EmitDefaults(CodeWriter code)
    {
        code.Summary(null, $"The default configurations of {model.FullName}.");
        using (code.Block($"public static class {names.Base}DefaultConfiguration"))
        {
            foreach (string mode in new[] { "Standard", "InRegion", "CrossRegion", "Mobile", "Auto" })
            {
                code.Summary(null, $"The default configuration of the mode {mode}.");
                code.Line($"public static global::Amazon.Runtime.IDefaultConfiguration {mode} => global::Inferloop.Aws.Clients.ModelDefaults.{mode};");
            }

            code.Summary(null, "All of them.");
            code.Line("public static global::System.Collections.ObjectModel.ReadOnlyCollection<global::Amazon.Runtime.IDefaultConfiguration> GetAllConfigurations() => global::Inferloop.Aws.Clients.ModelDefaults.All;");
        }
    }

    private void EmitPaginators(CodeWriter code)
    {
        code.Summary(null, $"All pages of the operations of {model.FullName} that answer in pages.");
        using (code.Block($"public partial interface I{Factory}"))
        {
            foreach (Operation operation in model.Operations.Where(IsPaginated))
            {
                code.Summary(null, $"All pages of {operation.Name}.");
                code.Line($"I{operation.Name}Paginator {operation.Name}({Naming.RequestName(operation)} request);");
            }
        }

        code.Summary(null, $"All pages of the operations of {model.FullName} that answer in pages.");
        using (code.Block($"public partial class {Factory} : I{Factory}"))
        {
            code.Line($"private readonly global::{names.Root}.{names.Interface} client;");
            code.Line($"internal {Factory}(global::{names.Root}.{names.Interface} client) => this.client = client;");
            foreach (Operation operation in model.Operations.Where(IsPaginated))
            {
                code.Summary(null, $"All pages of {operation.Name}.");
                code.Line($"public I{operation.Name}Paginator {operation.Name}({Naming.RequestName(operation)} request) => new {operation.Name}Paginator(client, request);");
            }
        }

        foreach (Operation operation in model.Operations.Where(IsPaginated))
        {
            EmitPaginator(code, operation);
        }
    }

    private void EmitPaginator(CodeWriter code, Operation operation)
    {
        Pagination pagination = operation.Pagination!;
        string response = Naming.ResponseName(operation);
        string request = Naming.RequestName(operation);
        List<(string Property, string ElementType)> results = [.. pagination.ResultKeys.Select(k => ResultKey(operation, k)).OfType<(string, string)>()];
        code.Summary(null, $"All pages of {operation.Name}.");
        using (code.Block($"public partial interface I{operation.Name}Paginator"))
        {
            code.Summary(null, "Each answer.");
            code.Line($"global::Amazon.Runtime.IPaginatedEnumerable<{response}> Responses {{ get; }}");
            foreach ((string property, string element) in results)
            {
                code.Summary(null, $"Each item of {property} over all pages.");
                code.Line($"global::Amazon.Runtime.IPaginatedEnumerable<{element}> {property} {{ get; }}");
            }
        }

        using (code.Block($"internal sealed class {operation.Name}Paginator : global::Amazon.Runtime.IPaginator<{response}>, I{operation.Name}Paginator"))
        {
            code.Line($"private readonly global::{names.Root}.{names.Interface} _client;");
            code.Line($"private readonly {request} _request;");
            code.Line("private int _started;");
            using (code.Block($"internal {operation.Name}Paginator(global::{names.Root}.{names.Interface} client, {request} request)"))
            {
                code.Line("_client = client;");
                code.Line("_request = request;");
            }

            code.Line($"public global::Amazon.Runtime.IPaginatedEnumerable<{response}> Responses => new global::Amazon.Runtime.PaginatedResponse<{response}>(this);");
            foreach ((string property, string element) in results)
            {
                string selector = $"i.{property} ?? global::System.Linq.Enumerable.Empty<{element}>()";
                code.Line($"public global::Amazon.Runtime.IPaginatedEnumerable<{element}> {property} => new global::Amazon.Runtime.PaginatedResultKeyResponse<{response}, {element}>(this, static i => {(element.StartsWith("global::System.Collections.Generic.KeyValuePair", StringComparison.Ordinal) ? $"(global::System.Collections.Generic.IEnumerable<{element}>)({selector})" : selector)});");
            }

            EmitPages(code, operation, request, response);
        }
    }

    private void EmitPages(CodeWriter code, Operation operation, string request, string response)
    {
        Pagination pagination = operation.Pagination!;
        Shape input = model[operation.Input!];
        string[] inputs = [.. pagination.InputTokens.Select(t => "_request." + Path(input, t))];
        string[] outputs = [.. pagination.OutputTokens.Select(t => OutputToken(operation, t))];
        using (code.Block($"async global::System.Collections.Generic.IAsyncEnumerable<{response}> global::Amazon.Runtime.IPaginator<{response}>.PaginateAsync([global::System.Runtime.CompilerServices.EnumeratorCancellation] global::System.Threading.CancellationToken cancellationToken)"))
        {
            using (code.Block("if (global::System.Threading.Interlocked.Exchange(ref _started, 1) != 0)"))
            {
                code.Line("throw new global::System.InvalidOperationException(\"Paginator has already been consumed and cannot be reused. Please create a new instance.\");");
            }

            code.Line("global::Amazon.Runtime.PaginatorUtils.SetUserAgentAdditionOnRequest(_request);");
            code.Line($"{response} response;");
            string more = pagination.MoreResults is { } flag
                ? $"response.{Path(model[operation.Output!], flag)} == true"
                : string.Join(" || ", Enumerable.Range(0, inputs.Length).Select(i => IsText(operation, i) ? $"!string.IsNullOrEmpty({inputs[i]})" : $"{inputs[i]} != null"));
            using (code.Block("do", $"}} while ({more});"))
            {
                code.Line($"response = await _client.{operation.Name}Async(_request, cancellationToken).ConfigureAwait(false);");
                for (int i = 0; i < inputs.Length; i++)
                {
                    code.Line($"{inputs[i]} = {outputs[i]};");
                }

                code.Line("cancellationToken.ThrowIfCancellationRequested();");
                code.Line("yield return response;");
            }
        }
    }

    private bool IsText(Operation operation, int index)
    {
        string token = operation.Pagination!.InputTokens[index];
        Member member = model[operation.Input!].Members.First(m => m.Name == token);
        return model[member].Type == "string" && !model[member].IsEnum;
    }

    /// <summary>"NextMarker || Contents[-1].Key" takes the last item's field where the first is absent.</summary>
    private string OutputToken(Operation operation, string expression)
    {
        Shape output = model[operation.Output!];
        return string.Join(" ?? ", expression.Split("||", StringSplitOptions.TrimEntries).Select(part => "response." + Path(output, part)));
    }

    private string Path(Shape shape, string expression)
    {
        List<string> parts = [];
        Shape current = shape;
        foreach (string step in expression.Split('.'))
        {
            bool last = step.EndsWith("[-1]", StringComparison.Ordinal);
            string name = last ? step[..^4] : step;
            Member member = current.Members.FirstOrDefault(m => m.Name == name)
                ?? throw new NotSupportedException($"{model.Names.File}: {current.Name} has no member '{name}' of the pagination path '{expression}'");
            parts.Add(naming.Property(current.Name, member) + (last ? "?[^1]" : ""));
            current = last ? model[model[member].Element!] : model[member];
        }

        return string.Join("?.", parts);
    }

    private (string Property, string ElementType)? ResultKey(Operation operation, string key)
    {
        // A path into a nested structure has no property of its own on the response; its pages are in Responses.
        Shape output = model[operation.Output!];
        Member? member = output.Members.FirstOrDefault(m => m.Name == key);
        if (member is null)
        {
            return null;
        }

        Shape type = model[member];
        return type.Type switch
        {
            "list" => (naming.Property(output.Name, member), naming.Type(type.Element!, true)),
            "map" => (naming.Property(output.Name, member), $"global::System.Collections.Generic.KeyValuePair<{naming.Type(type.Key!, true)}, {naming.Type(type.Element!, true)}>"),
            _ => null,
        };
    }

    private static void Deprecation(CodeWriter code, Operation operation)
    {
        if (operation.IsDeprecated)
        {
            code.Line($"[global::System.Obsolete({Naming.Literal(operation.DeprecatedMessage ?? "This operation is deprecated.")})]");
        }
    }
}
