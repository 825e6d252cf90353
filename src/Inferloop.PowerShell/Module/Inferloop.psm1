# Loads the cmdlets into an assembly load context of their own, so that their dependencies meet nothing else in the session.
# Only the language and cmdlets of Microsoft.PowerShell.Core are used here: the module loads in any host.

$loader = [System.Reflection.Assembly]::LoadFrom([System.IO.Path]::Combine($PSScriptRoot, 'Inferloop.Loader.dll')).GetType('Inferloop.Loader.EngineLoader', $true)
$cmdlets = Import-Module -Assembly $loader::Load([System.IO.Path]::Combine($PSScriptRoot, 'engine')) -PassThru

# Without this the inner module would stay, and a second 'Import-Module -Force' would export nothing.
$ExecutionContext.SessionState.Module.OnRemove = { Remove-Module -ModuleInfo $cmdlets -Force }.GetNewClosure()

Export-ModuleMember -Cmdlet @($cmdlets.ExportedCmdlets.Keys) -Alias @($cmdlets.ExportedAliases.Keys)
