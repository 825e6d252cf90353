using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Inferloop.Aws;

/// <summary>Notes on every failure which operation of which service it was: the SDK's exceptions do not say.</summary>
internal sealed class OperationTrace : IRuntimePipelineCustomizer
{
    public const string Operation = "Inferloop.Operation";
    public const string Service = "Inferloop.Service";
    public const string Region = "Inferloop.Region";
    public const string Endpoint = "Inferloop.Endpoint";

    public string UniqueName => "Inferloop.Aws.OperationTrace";

    public void Customize(Type type, RuntimePipeline pipeline) => pipeline.AddHandler(new Handler());

    private sealed class Handler : PipelineHandler
    {
        public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            try
            {
                return await base.InvokeAsync<T>(executionContext).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                IRequestContext context = executionContext.RequestContext;
                string request = context.OriginalRequest.GetType().Name;
                e.Data[Operation] = request.EndsWith("Request", StringComparison.Ordinal) ? request[..^"Request".Length] : request;
                e.Data[Service] = context.ClientConfig.ServiceId;
                e.Data[Region] = context.ClientConfig.RegionEndpoint?.SystemName ?? context.ClientConfig.AuthenticationRegion;
                e.Data[Endpoint] = context.Request?.Endpoint?.GetLeftPart(UriPartial.Authority);
                throw;
            }
        }
    }
}
